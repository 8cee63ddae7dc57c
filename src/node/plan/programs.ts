import { isServing, type RingStatus } from '../../ring/status.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { planCompletion } from './completion.ts';
import { planCoordinated } from './coordinated.ts';
import { planJoin, planK2hdkc } from './join.ts';
import { quietBeforeStart } from './quiet-before-start.ts';
import { planSlave } from './slave.ts';
import { act, because, giveWay, restartPair, wait, type PlanTimes, type Step } from './step.ts';

/** chmpx and k2hdkc start one after the other, join the ring, and stay in it. */
export function planPrograms(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const { chmpx, k2hdkc, status, role } = observed.seen;
  const { restartInMs, statusStableMs, leave } = observed.memory;
  if (!chmpx) {
    // A k2hdkc whose chmpx is gone spins, and a new chmpx under it sticks in SERVICE OUT.
    if (k2hdkc) {
      return act({ do: 'stop-k2hdkc', orphan: true }, 'chmpx is gone: both start again');
    }
    if (restartInMs > 0) return wait(pausing(observed), restartInMs);
    const quiet = quietBeforeStart(role, observed.seen.neighbours, times, desired.mode);
    if (quiet) return wait(quiet.why, quiet.ms);
    return act(
      { do: 'start-chmpx', generation: desired.generation, toLeave: leave.is === 'restarting' },
      'chmpx does not run',
    );
  }
  if (status?.self.live !== 'UP') {
    if (observed.seen.statusProblem !== null) {
      return wait(`the status of chmpx is not known (${observed.seen.statusProblem})`);
    }
    // A status that cannot be read just now says nothing against a chmpx that has run for days.
    if (Math.min(chmpx.runningMs, statusStableMs) <= times.startTimeoutMs) {
      return wait('chmpx is starting');
    }
    return restartPair(observed, 'chmpx did not come up');
  }
  if (desired.mode === 'slave') return planSlave(observed);
  if (!k2hdkc) {
    return restartInMs > 0
      ? wait(pausing(observed), restartInMs)
      : planK2hdkc(status, desired, observed, times);
  }
  if (observed.memory.mergeHangs)
    return restartPair(observed, 'this node hangs in a merge: both start again');
  const change =
    times.merge === 'automatic'
      ? planCompletion(status, observed, times)
      : planLed(status, observed, times);
  if (change) return change;
  if (!isServing(status.self)) return planJoin(status, observed, k2hdkc.runningMs, times);
  const { giveIn } = observed.memory;
  if (giveIn !== null) return giveWay(observed, giveIn);
  return { kind: 'rest', why: 'serving' };
}

function planLed(status: RingStatus, observed: Observed, times: PlanTimes): Step | null {
  return status.self.suspended ? null : planCoordinated(status, observed, times);
}

/** The reason is for who waits: it has the last lines that the program wrote. */
function pausing({ memory }: Observed): string {
  return `pausing before the next start${because(memory.crashReason || null)}`;
}
