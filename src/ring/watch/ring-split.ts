import { serverKey } from '../ring.ts';
import { isServing, type RingNode } from '../status.ts';

/** How servers see the ring that answer for themselves, by `serverKey`, in the ring's order. */
export type ViewsOfRing = ReadonlyMap<string, readonly RingNode[]>;

/** Whether a server serves, as it sees itself. */
export function servesByItself(key: string, view: readonly RingNode[]): boolean {
  return view.some((row) => serverKey(row) === key && isServing(row));
}

/**
 * The sides of a ring that is split although its servers can speak to each other: those that take
 * the same servers for down. chmpx gives a connection up when a cut has lasted 30 to 90 s without
 * traffic, tells it to those that it still reaches, and never tries again (chmpx 1.0.113; a server
 * looks after its next one only, so that it can take a lost one for UP: who is UP says nothing).
 *
 * @returns the side that stays first, which is the largest, or of two that are the largest the one
 *   that holds the first server; one side when the ring is whole. Null: no verdict, because a
 *   server that answers starts, joins or merges.
 */
export function ringSides(views: ViewsOfRing): string[][] | null {
  if (![...views].every(([key, view]) => servesByItself(key, view))) return null;
  const sides = new Map<string, string[]>();
  for (const [key, rows] of views) {
    const lost = rows.filter((row) => row.live === 'DOWN').map(serverKey);
    const text = JSON.stringify(lost.filter((one) => views.has(one)).sort());
    sides.set(text, [...(sides.get(text) ?? []), key]);
  }
  return [...sides.values()].sort((a, b) => b.length - a.length);
}
