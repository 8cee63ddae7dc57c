import { UNREAD_MS } from '../../ring/watch/unread-watch.ts';
import type { Observed } from '../observed.ts';
import type { Step } from './step.ts';

/**
 * A slave whose chmpx is up follows the cluster, unless its applications wait for what chmpx does not
 * read, or it has not found all servers again after a cut.
 */
export function planSlave({ unreadMs, giveIn }: Pick<Observed, 'unreadMs' | 'giveIn'>): Step {
  if (unreadMs >= UNREAD_MS) {
    const why = 'chmpx does not read a connection any more';
    return { kind: 'do', action: 'restart-pair', why };
  }
  if (giveIn !== null) return { kind: 'do', action: 'give-in', why: giveIn };
  return { kind: 'rest', why: 'following the cluster' };
}
