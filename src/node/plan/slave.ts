import { UNREAD_MS } from '../../ring/watch/unread-watch.ts';
import type { Observed } from '../observed.ts';
import { giveWay, restartPair, wait, type Step } from './step.ts';

/**
 * A slave whose chmpx is up follows the cluster, unless its applications wait for what chmpx does not
 * read, servers have refused it, or it has not found all of them again after a cut.
 */
export function planSlave(observed: Observed): Step {
  if (observed.memory.unreadMs >= UNREAD_MS) {
    return restartPair(observed, 'chmpx does not read a connection any more');
  }
  const { giveIn } = observed.memory;
  if (giveIn !== null) return giveWay(observed, giveIn);
  if (!observed.seen.isLetIn) return wait('the servers must let this slave in');
  return { kind: 'rest', why: 'following the cluster' };
}
