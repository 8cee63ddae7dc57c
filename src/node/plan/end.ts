import { isOver, refusal } from '../../ring/change/leave.ts';
import { absentServers } from '../../ring/change/merge-phase.ts';
import { mustLeaveRing, sameServer } from '../../ring/ring.ts';
import type { RingStatus } from '../../ring/status.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { planPrograms } from './programs.ts';
import { act, because, restartPair, stopChmpx, wait, type PlanTimes, type Step } from './step.ts';
import { planVolume } from './volume.ts';
import { isStopped, registeredElsewhere, unregisters, wantsToServe } from './wants.ts';

/** A restart waits so long for a server that is down: it may only be starting again (ms). */
const ABSENT_MS = 10_000;
/** A status that could not be read for so long is no hitch of the tool any more (ms). */
const STATUS_DOUBT_MS = 5_000;

/** A node that hung in the merge of its leave, or crashed, starts both again, and leaves then. */
export function planEnd(
  desired: DesiredState,
  observed: Observed,
  kind: 'stop' | 'good',
  times: PlanTimes,
): Step {
  const { chmpx, k2hdkc, status } = observed.seen;
  const { leave, mergeHung } = observed.memory;
  const both = chmpx !== null && k2hdkc !== null;
  const isOutside = !both || status?.self.ring === 'SERVICE OUT';
  if (leave.is === 'idle' && kind === 'good' && isOutside && mayHoldData(desired, observed)) {
    return leaveRing(desired, observed, kind, 'coming back first, to leave with the data');
  }
  if (leave.is !== 'restarting') return planStop(desired, observed, kind, times);
  if (both && mergeHung) {
    return restartPair(observed, 'the ring was not left because this node hung: both start again');
  }
  if (!both || status?.self.operation !== 'DELETE') {
    // Without its volume k2hdkc would come back empty.
    const cure = planVolume(observed) ?? planPrograms(desired, observed, times);
    if (cure.kind !== 'rest') return cure;
  }
  return planStop(desired, observed, kind, times);
}

/** It has served (`prepared`), and may have data that no other server has: after a crash or a reboot. */
function mayHoldData(desired: DesiredState, { seen, memory }: Observed): boolean {
  const isMember = desired.mode !== 'slave' && desired.phase === 'prepared';
  return isMember && seen.role.ini !== null && unregisters(desired) && !memory.crashLoops;
}

function leaveRing(
  desired: DesiredState,
  observed: Observed,
  kind: 'stop' | 'good',
  why: string,
): Step {
  return act({ do: 'leave-ring', kind, waitsFor: whomToWaitFor(desired, observed) }, why);
}

/** What is on the disk of a node that comes back is not lost: it waits for none that is down. */
function whomToWaitFor(desired: DesiredState, { seen }: Observed): ReadonlySet<string> {
  return unregisters(desired) ? seen.role.cuks : new Set();
}

/**
 * A restart beside a server that is down: its data cannot move, and nobody takes its place. It starts
 * again as after a crash.
 */
function mustRestartInPlace(
  desired: DesiredState,
  { seen }: Observed,
  status: RingStatus,
): boolean {
  const { self } = status;
  if (!wantsToServe(desired) || unregisters(desired) || self.operation !== 'n/a') return false;
  return absentServers(status, seen.role.cuks).some((server) => !sameServer(server, self));
}

function planStop(
  desired: DesiredState,
  observed: Observed,
  kind: 'stop' | 'good',
  times: PlanTimes,
): Step {
  const { chmpx, k2hdkc, status } = observed.seen;
  const { leave, statusStableMs, k2hr3RetryInMs, k2hr3Problem } = observed.memory;
  if (chmpx && k2hdkc && !isOver(leave)) {
    // One reading that failed must not make this node go without moving its data.
    const doubtMs = unregisters(desired) ? times.startTimeoutMs : STATUS_DOUBT_MS;
    if (!status && statusStableMs < doubtMs) return wait('chmpx does not say its status');
    // One that is back finds that out: it may be alone by now.
    const waitsFor = whomToWaitFor(desired, observed);
    if (status && mustRestartInPlace(desired, observed, status)) {
      const { ringStillMs } = observed.memory;
      if (ringStillMs < ABSENT_MS)
        return wait('a server of the ring is down', ABSENT_MS - ringStillMs);
    } else if (status && (mustLeaveRing(status, waitsFor) || leave.is === 'restarting')) {
      return leaveRing(desired, observed, kind, 'other servers are in the ring: leaving it first');
    } else if (status && mayHoldData(desired, observed)) {
      // Said once: one that has stopped, and waits for K2HR3 say, would come back to leave else.
      return leaveRing(desired, observed, kind, 'nobody else is in the ring');
    }
  }
  // Without the leave, the data would be lost to the ring.
  const refused = isOver(leave) ? refusal(leave) : null;
  if (refused !== null && unregisters(desired)) {
    return wait(`this node cannot leave the ring: ${refused}`);
  }
  // Programs of another cluster must not be there any more when the ini of the new one comes.
  const moves = wantsToServe(desired) && registeredElsewhere(desired);
  const mayUnregister = isStopped(observed) || !moves;
  if (unregisters(desired) && mayUnregister && k2hr3RetryInMs <= 0) {
    return act({ do: 'unregister' }, 'this node is to be in no ring');
  }
  if (k2hdkc) return act({ do: 'stop-k2hdkc', orphan: chmpx === null }, 'k2hdkc is to stop');
  if (chmpx) return act(stopChmpx(desired), 'chmpx is to stop');
  if (unregisters(desired))
    return wait(`K2HR3 did not unregister this node${because(k2hr3Problem)}`, k2hr3RetryInMs);
  return { kind: 'rest', why: 'stopped' };
}
