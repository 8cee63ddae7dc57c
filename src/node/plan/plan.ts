import { isServing, type RingStatus } from '../../ring/status.ts';
import { mustLeaveRing } from '../../ring/ring.ts';
import type { DesiredState } from '../desired-state.ts';
import { parametersKey } from '../../role/registration.ts';
import type { MergeMode } from '../../ring/merge-mode.ts';
import type { Observed } from '../observed.ts';
import { planCompletion } from './completion.ts';
import { planJoin, planK2hdkc } from './join.ts';
import { planCoordinated, type MergeTimes } from './coordinated.ts';
import { planRoll } from './roll.ts';
import { planSlave } from './slave.ts';
import { planVolume } from './volume.ts';
import { chmpxStarts, quietBeforeStart } from './quiet-before-start.ts';

/** What the reconciler can do about a difference, one at a time. */
export type Action =
  | 'mount-volume'
  | 'register'
  | 'unregister'
  | 'publish-ini'
  | 'start-chmpx'
  | 'start-k2hdkc'
  | 'service-in'
  | 'complete-merge'
  | 'join-ring'
  | 'finish-merge'
  | 'leave-ring'
  | 'leave-to-restart'
  | 'stop-k2hdkc'
  | 'stop-chmpx'
  | 'restart-pair'
  | 'give-in'
  | 'end-shrink';

/** The next step: something to do, something to wait for, or nothing. */
export type Step =
  | { kind: 'do'; action: Action; why: string }
  | { kind: 'wait'; why: string; ms?: number }
  | { kind: 'rest'; why: string };

/** The times that the plan decides by, in milliseconds. */
export interface PlanTimes {
  /** The ring must have been the same for so long. */
  ringStableMs: number;
  /** Between the starts of two servers of a ring. */
  startSpacingMs: number;
  startTimeoutMs: number;
  /** SERVICE OUT under a living k2hdkc for so long is a known stuck form; so is an idle Done. */
  stuckAfterMs: number;
  /** A change of others is waited for so long before one's own. */
  changeWaitMs: number;
  /** Who moves data, and the times that only count when the agents do. */
  merge: MergeMode;
  coordinated: MergeTimes;
}

/** A status that could not be read for so long is no hitch of the tool any more (ms). */
const STATUS_DOUBT_MS = 5_000;

const act = (action: Action, why: string): Step => ({ kind: 'do', action, why });
const wait = (why: string, ms?: number): Step =>
  ms === undefined ? { kind: 'wait', why } : { kind: 'wait', why, ms };

/** All is set for the programs to start, but a backup is to be restored before. */
export const RESTORE_FIRST: Step = wait('the backup is restored first', 1_000);

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
  if (desired.shrinking && observed.now >= desired.shrinking.rejoinAt) {
    return act('end-shrink', 'this node was to be removed but still exists: joining again');
  }
  if (!wantsToServe(desired)) return planEnd(desired, observed, times);
  if (registeredElsewhere(desired) || runsOldGeneration(desired, observed)) {
    const leaving = planEnd(desired, observed, times);
    if (leaving.kind !== 'rest') return leaving;
  }
  const roll = planRoll(observed, times);
  if (roll?.kind === 'do') return roll;
  const step = planStart(desired, observed, times);
  return step.kind === 'rest' && roll ? roll : step;
}

/** Whether chmpx and k2hdkc should run on this VM. */
export function wantsToServe(desired: DesiredState): boolean {
  return (
    desired.phase !== 'new' &&
    desired.phase !== 'failed' &&
    desired.parameters !== null &&
    desired.stopped === null &&
    desired.shrinking === null
  );
}

/** Whether the node serves, with the programs that it should serve with. */
export function serves(desired: DesiredState, observed: Observed): boolean {
  if (desired.mode === 'slave') {
    return observed.chmpx?.generation === desired.generation && observed.status?.self.live === 'UP';
  }
  return (
    observed.chmpx?.generation === desired.generation &&
    observed.k2hdkc?.generation === desired.generation &&
    observed.status !== null &&
    isServing(observed.status.self)
  );
}

/** Whether nothing of the database runs any more, nor starts once more in order to leave the ring. */
export function isStopped({ chmpx, k2hdkc, leaveAgain }: Observed): boolean {
  return chmpx === null && k2hdkc === null && !leaveAgain;
}

/** stop_db leaves the registration alone; a failed prepare and leaving for good end it. */
function unregisters(desired: DesiredState): boolean {
  return (
    desired.registration !== null &&
    (desired.phase === 'failed' ||
      desired.parameters === null ||
      desired.shrinking !== null ||
      registeredElsewhere(desired))
  );
}

function registeredElsewhere({ registration, parameters }: DesiredState): boolean {
  return registration !== null && registration.parametersKey !== parametersKey(parameters);
}

function runsOldGeneration(desired: DesiredState, { chmpx, k2hdkc }: Observed): boolean {
  return [chmpx, k2hdkc].some((program) => program && program.generation !== desired.generation);
}

/** A node that hung in the merge of its leave, or crashed, starts both again, and leaves then. */
function planEnd(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const { chmpx, k2hdkc, status, mergeHung } = observed;
  const both = chmpx !== null && k2hdkc !== null;
  if (observed.leaveAgain && both && mergeHung)
    return act('restart-pair', 'the ring was not left because this node hung: both start again');
  if (observed.leaveAgain && !(both && status?.self.operation === 'DELETE')) {
    const cure = planPrograms(desired, observed, times);
    if (cure.kind !== 'rest') return cure;
  }
  return planStop(desired, observed, times);
}

function planStop(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const { chmpx, k2hdkc, status } = observed;
  if (chmpx && k2hdkc && !observed.leaveOver) {
    // One reading that failed must not make this node go without moving its data.
    const doubtMs = unregisters(desired) ? times.startTimeoutMs : STATUS_DOUBT_MS;
    if (!status && observed.statusStableMs < doubtMs) return wait('chmpx does not say its status');
    if (status && mustLeaveRing(status)) {
      return act('leave-ring', 'other servers are in the ring: leaving it first');
    }
  }
  // Without the leave, the data would be lost to the ring.
  if (observed.leaveFailure !== null && unregisters(desired)) {
    return wait(`this node cannot leave the ring: ${observed.leaveFailure}`);
  }
  // Programs of another cluster must not be there any more when the ini of the new one comes.
  const moves = wantsToServe(desired) && registeredElsewhere(desired);
  const mayUnregister = isStopped(observed) || !moves;
  if (unregisters(desired) && mayUnregister && observed.k2hr3RetryInMs <= 0) {
    return act('unregister', 'this node is to be in no ring');
  }
  if (k2hdkc) return act('stop-k2hdkc', 'k2hdkc is to stop');
  if (chmpx) return act('stop-chmpx', 'chmpx is to stop');
  if (unregisters(desired))
    return wait('K2HR3 did not unregister this node', observed.k2hr3RetryInMs);
  return { kind: 'rest', why: 'stopped' };
}

function planStart(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const volume = planVolume(observed);
  if (volume) return volume;
  const registration = planRegistration(desired, observed);
  // Programs that run already go on with the last good ini whatever K2HR3 says.
  if (registration && (registration.kind === 'do' || !observed.chmpx)) return registration;
  if (observed.role.ini !== null && !observed.iniPublished && !chmpxStarts(observed)) {
    return act('publish-ini', 'the role has changed');
  }
  return desired.restoring === null ? planPrograms(desired, observed, times) : RESTORE_FIRST;
}

function planRegistration(desired: DesiredState, observed: Observed): Step | null {
  const { role, k2hr3RetryInMs, registrationSettlesInMs } = observed;
  if (desired.registration === null || role.lacksSelf) {
    const ms = Math.max(k2hr3RetryInMs, role.lacksSelf ? registrationSettlesInMs : 0);
    return ms > 0
      ? wait(`registering in K2HR3${because(role.problem)}`, ms)
      : act('register', role.lacksSelf ? 'the ring lacks this node' : 'not registered yet');
  }
  return role.ini === null ? wait(`reading the role${because(role.problem)}`) : null;
}

function planPrograms(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const { chmpx, k2hdkc, status, role } = observed;
  if (!chmpx) {
    // A k2hdkc whose chmpx is gone spins, and a new chmpx under it sticks in SERVICE OUT.
    if (k2hdkc) return act('stop-k2hdkc', 'chmpx is gone: both start again');
    if (observed.restartInMs > 0) return wait(pausing(observed), observed.restartInMs);
    const quiet = quietBeforeStart(role, observed.neighbours, times);
    if (quiet) return wait(quiet.why, quiet.ms);
    return act('start-chmpx', 'chmpx does not run');
  }
  if (status?.self.live !== 'UP') {
    if (observed.statusProblem !== null) {
      return wait(`the status of chmpx is not known (${observed.statusProblem})`);
    }
    // A status that cannot be read just now says nothing against a chmpx that has run for days.
    if (Math.min(chmpx.runningMs, observed.statusStableMs) <= times.startTimeoutMs) {
      return wait('chmpx is starting');
    }
    return act('restart-pair', 'chmpx did not come up');
  }
  if (desired.mode === 'slave') return planSlave(observed);
  if (!k2hdkc) {
    return observed.restartInMs > 0
      ? wait(pausing(observed), observed.restartInMs)
      : planK2hdkc(status, observed, times);
  }
  if (observed.mergeHangs)
    return act('restart-pair', 'this node hangs in a merge: both start again');
  const change =
    times.merge === 'automatic'
      ? planCompletion(status, observed, times)
      : planLed(status, observed, times);
  if (change) return change;
  if (!isServing(status.self)) return planJoin(status, observed, k2hdkc.runningMs, times);
  if (observed.giveIn !== null) return act('give-in', observed.giveIn);
  return { kind: 'rest', why: 'serving' };
}

function planLed(status: RingStatus, observed: Observed, times: PlanTimes): Step | null {
  return status.self.suspended ? null : planCoordinated(status, observed, times);
}

/** The reason is for who waits: it has the last lines that the program wrote. */
function pausing({ crashReason }: Observed): string {
  return `pausing before the next start${because(crashReason || null)}`;
}

function because(problem: string | null): string {
  return problem === null ? '' : ` (${problem})`;
}
