import { absentServers } from '../../ring/change/merge-phase.ts';
import { isOver, refusal } from '../../ring/change/leave.ts';
import { membershipChangeRuns, mustLeaveRing, sameServer } from '../../ring/ring.ts';
import { isServing, type RingStatus } from '../../ring/status.ts';
import { READ_PER_SERVER_MS } from '../../role/role-pace.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { act, PASSING_MS, stopChmpx, wait, type PlanTimes, type Step } from './step.ts';

/** A ring that is to change must have been the same for so long (ms). */
const QUIET_MS = 3_000;
/**
 * Between servers that could restart at the same time: more than agents differ in when they read
 * the role, every 5 s and every READ_PER_SERVER_MS for each server (ms).
 */
const ROLL_TURN_MS = 6_000;
/** A restart of another is over in a few seconds, and must be seen (ms). */
const ROLL_LOOK_MS = 250;

/**
 * What follows from an ini that needs a restart of programs that run: one server of the ring after
 * the other, in ring order, leaves it, restarts both programs and joins again. Agents have no channel
 * to each other: whose turn it is, is judged by chmpxstatus.
 *
 *     serving ──its turn──▶ leave ──▶ stop both ──▶ start and join, as ever
 *        ▲                    │
 *        └── could not leave ─┘ said, and tried again later
 *
 * A slave, the last server and one that is out of the ring anyway have nothing to leave: theirs is
 * over at once.
 */
export function planRoll(desired: DesiredState, observed: Observed, times: PlanTimes): Step | null {
  const { roll, chmpx, k2hdkc, status } = observed.seen;
  const { leave: left } = observed.memory;
  if (roll === null || chmpx === null) return null;
  const why = `new values of ${roll.keys.join(', ')}`;
  const restart = act(
    k2hdkc ? { do: 'stop-k2hdkc', orphan: false } : stopChmpx(desired),
    `${why}: both programs start again`,
  );
  const inRing = status !== null && mustLeaveRing(status, new Set());
  if (isOver(left) && !inRing) return restart;
  const leave = act(
    { do: 'leave-ring', kind: 'restart', waitsFor: new Set() },
    `${why}: ${inRing ? 'leaving the ring first' : 'no ring to leave'}`,
  );
  if (isOutside(observed)) return leave;
  if (status === null || isBusy(status, observed, times)) return null;
  if (!isTurn(status, observed, times.changeWaitMs)) {
    return wait(`${why}: one server restarts after the other`, ROLL_LOOK_MS);
  }
  if (k2hdkc === null) return restart;
  const refused = refusal(left);
  if (refused !== null) return wait(`${why}: the ring could not be left: ${refused}`, ROLL_LOOK_MS);
  return leave;
}

/** Of no ring: a slave, or one that has left, by an agent before this one say. */
function isOutside({ seen: { status }, memory: { statusStableMs } }: Observed): boolean {
  if (status?.self.ring === 'SLAVE') return true;
  // A merge that others lead passes through it.
  return status?.self.ring === 'SERVICE OUT' && statusStableMs > PASSING_MS;
}

/**
 * Something else comes first: coming into service, or the cure of a hang, after which a leave would
 * hang as well. A k2hdkc that does not stay up is no reason to wait: new values may be its cure.
 */
function isBusy({ self }: RingStatus, observed: Observed, { merge }: PlanTimes): boolean {
  const fails = observed.seen.k2hdkc === null && observed.memory.crashes > 1;
  const hung = observed.memory.mergeHung && merge === 'coordinated';
  return hung || (!isServing(self) && !fails);
}

function isTurn(status: RingStatus, observed: Observed, changeWaitMs: number): boolean {
  const { roll, role } = observed.seen;
  const { ringStillMs } = observed.memory;
  const others = status.servers.filter((server) => !sameServer(server, status.self));
  if (roll === null || others.length === 0) return true;
  // It keeps its place: no merge of others ends without it.
  const absent = absentServers(status, role.cuks);
  if (absent.some((server) => !sameServer(server, status.self))) return false;
  if (roll.waitedMs >= changeWaitMs * Math.max(1, role.servers)) return true;
  const changes = membershipChangeRuns(status) || others.some((server) => !isServing(server));
  const turn = roll.before * (ROLL_TURN_MS + READ_PER_SERVER_MS * role.servers);
  const needed = (changes ? changeWaitMs : QUIET_MS) + turn;
  return Math.min(ringStillMs, roll.waitedMs) >= needed;
}
