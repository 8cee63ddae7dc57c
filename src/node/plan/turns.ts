/** Between the servers that could do the same, in ring order (ms). */
export const TURN_MS = 5_000;
/** Two that see the ring differently can both take themselves for the next: up to so much (ms). */
const JITTER_MS = 1_000;

/**
 * How long the server at this place among those that could do the same leaves it to those before
 * it, in milliseconds: agents have no channel to each other. The first one does not wait.
 *
 * @param jitter in [0, 1), drawn anew by each agent whenever the ring changes.
 */
export function turnMs(place: number, jitter: number, step = TURN_MS): number {
  return place <= 0 ? 0 : place * step + jitter * JITTER_MS;
}
