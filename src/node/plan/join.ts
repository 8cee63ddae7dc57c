import { waitingOutside } from '../../ring/change/merge-phase.ts';
import { isUncompleted, membershipChangeRuns, sameServer } from '../../ring/ring.ts';
import type { RingNode, RingStatus } from '../../ring/status.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { act, restartPair, wait, type PlanTimes, type Step } from './step.ts';
import { CURE_PAUSE_MS } from '../../ring/change/cure.ts';
import { turnMs } from './turns.ts';

/**
 * The start of k2hdkc, beside a chmpx that is up. With AUTOMERGE chmpx joins as soon as it comes:
 * one change at a time, so that it waits for a change of others, and for the servers before it that
 * are at the same point. It waits for `changeWaitMs` and its turn in all, and its turn from the last
 * movement on: the server that hangs in its change starts again at that time and comes first.
 * A server that keeps its place in the ring joins nothing.
 */
export function planK2hdkc(
  status: RingStatus,
  { generation }: DesiredState,
  observed: Observed,
  times: PlanTimes,
): Step {
  const { self, servers } = status;
  const start = (why: string): Step => act({ do: 'start-k2hdkc', generation }, why);
  const plain = start('k2hdkc does not run');
  if (times.merge === 'coordinated' || self.ring !== 'SERVICE OUT') return plain;
  const { statusStableMs: still, ringStillMs, tieJitter } = observed.memory;
  const place = placeAmong(
    servers.filter(
      ({ ring, live, suspended }) => ring === 'SERVICE OUT' && live === 'UP' && suspended,
    ),
    self,
  );
  if (membershipChangeRuns(status)) {
    const turn = turnMs(place + 1, tieJitter);
    return still < times.changeWaitMs + turn || ringStillMs < turn
      ? wait('another change of the ring runs')
      : start('another change of the ring does not end: joining anyway');
  }
  return Math.min(still, ringStillMs) < turnMs(place, tieJitter)
    ? wait('a server before this one joins first')
    : plain;
}

/** What a node with both programs does that is not in service, or merges, when chmpx joins by itself. */
export function planJoin(
  status: RingStatus,
  observed: Observed,
  k2hdkcRunningMs: number,
  times: PlanTimes,
): Step {
  const { self } = status;
  const stuckOut = self.ring === 'SERVICE OUT' && self.operation === 'n/a' && !self.suspended;
  const { cureSentMs: sent, statusStableMs: still, ringStillMs, tieJitter } = observed.memory;
  const mayCure = sent === null || sent > CURE_PAUSE_MS;
  const place = placeAmong(waitingOutside(status), self);
  const turn = turnMs(place + 1, tieJitter);
  const isDue = membershipChangeRuns(status)
    ? still > times.changeWaitMs + turn && ringStillMs > turn
    : still > times.stuckAfterMs + turnMs(place, tieJitter);
  if (stuckOut && isDue && mayCure) {
    return act({ do: 'cure', command: 'SERVICEIN' }, 'in SERVICE OUT under a living k2hdkc');
  }
  const uncompleted = self.merge === 'Done' && isUncompleted(status);
  // The merge of another server takes as long as it takes.
  const ofOthers =
    self.ring === 'SERVICE IN' && self.operation === 'n/a' && !self.suspended && !uncompleted;
  const limit = times.startTimeoutMs;
  if (!ofOthers && k2hdkcRunningMs > limit && still > limit) {
    // chmpx joins by itself only once in its life, so a new join needs both.
    return restartPair(observed, 'nothing moves any more: both start again');
  }
  return wait(ofOthers ? 'the ring merges' : 'joining the ring');
}

function placeAmong(nodes: readonly RingNode[], self: RingNode): number {
  return nodes.findIndex((node) => sameServer(node, self));
}
