import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { planEnd } from './end.ts';
import { planRoll } from './roll.ts';
import { planStart } from './start.ts';
import { act, type PlanTimes, type Step } from './step.ts';
import { wantedLeave } from './wants.ts';

/**
 * Compares what this VM should be with what it is and names the one next step. Pure, so that every
 * situation is a row in a table of tests.
 *
 *   (mount-volume) → register → publish-ini → (a backup is restored) → start-chmpx → start-k2hdkc → (cure) → rest
 *   leave-ring → unregister → stop-k2hdkc → stop-chmpx → rest
 *
 * A slave has no k2hdkc and no place in the ring: register → publish-ini → start-chmpx → rest.
 */
export function plan(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  if (desired.shrinking && observed.seen.now >= desired.shrinking.rejoinAt) {
    return act({ do: 'end-shrink' }, 'this node was to be removed but still exists: joining again');
  }
  const kind = wantedLeave(desired, observed.seen);
  if (kind !== null) return planEnd(desired, observed, kind, times);
  const roll = planRoll(desired, observed, times);
  if (roll?.kind === 'do') return roll;
  const step = planStart(desired, observed, times);
  return step.kind === 'rest' && roll ? roll : step;
}
