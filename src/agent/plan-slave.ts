import type { Observed } from './observed.ts';
import type { Step } from './plan.ts';

/**
 * A connection that is not read for so long never will be (ms): a worker of chmpx waits at most 5 s
 * for the rest of a message, and 5 s more for a client that does not take it.
 */
export const UNREAD_MS = 15_000;

/** A slave whose chmpx is up follows the cluster, unless its applications wait for what chmpx does not read. */
export function planSlave({ unreadMs }: Pick<Observed, 'unreadMs'>): Step {
  return unreadMs >= UNREAD_MS
    ? { kind: 'do', action: 'restart-pair', why: 'chmpx does not read a connection any more' }
    : { kind: 'rest', why: 'following the cluster' };
}
