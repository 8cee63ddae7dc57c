import type { Random } from '../base/backoff.ts';

/** How fast the role is read, in milliseconds. */
export interface RolePace {
  settledMs: number;
  changingMs: number;
  retryFirstMs: number;
  retryCapMs: number;
}

/** Reading costs the server 45 to 110 ms, more with more servers (ms per server). */
export const READ_PER_SERVER_MS = 150;
/** A pause is up to a tenth shorter or longer, so that agents do not read in step. */
const LONGEST_JITTER = 1.1;

/** A pause as one agent makes it (ms). */
export function jittered(pauseMs: number, random: Random): number {
  return pauseMs * (LONGEST_JITTER - 0.2 * random());
}

/** The pause between two reads of the role of so many servers, while nothing changes (ms). */
export function settledPauseMs(settledMs: number, servers: number): number {
  return Math.max(settledMs, READ_PER_SERVER_MS * servers);
}

/**
 * After how long every agent of so many servers has read a role that has changed (ms), K2HR3 and the
 * agents being well: the longest pause between two reads, and a second for the read itself and the ini.
 *
 * @param settledMs `poll_interval` of those agents (ms).
 */
export function roleReadMs(settledMs: number, servers: number): number {
  return settledPauseMs(settledMs, servers) * LONGEST_JITTER + 1_000;
}
