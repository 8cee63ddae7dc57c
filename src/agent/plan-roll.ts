import { membershipChangeRuns, sameServer } from '../cluster/ring.ts';
import { isServing, type RingNode, type RingStatus } from '../cluster/status.ts';
import type { Observed } from './observed.ts';
import type { PlanTimes, Step } from './plan.ts';
import type { RollView } from './roll-watch.ts';

/** A ring that is to change must have been the same for so long (ms). */
const QUIET_MS = 3_000;
/**
 * Between servers that could restart at the same time: more than agents differ in when they read
 * the role, every 5 s and every 0.15 s for each server (ms).
 */
const TURN_MS = 6_000;
const TURN_PER_SERVER_MS = 150;
/** Another's merge has this node in SERVICE OUT for less (ms). */
const PASSING_MS = 2_000;
/** A restart of another's k2hdkc is over in a second, and must be seen (ms). */
const LOOK_MS = 250;

/**
 * What follows from an ini that needs a restart of programs that run: one server of the ring after
 * the other, in ring order, as far as chmpxstatus tells; a change of another is waited for, but not
 * for ever. `leave`: this node leaves the ring and stops, to start with the new ini.
 */
export function planRoll(observed: Observed, times: PlanTimes): Step | { kind: 'leave' } | null {
  const { roll, chmpx, leaveOver } = observed;
  if (roll === null) return null;
  const waitMs = leaveOver || !chmpx ? 0 : untilTurn(observed, times.changeWaitMs);
  const why = `new values of ${roll.keys.join(', ')}`;
  if (waitMs > 0) {
    return { kind: 'wait', why: `${why}: one server restarts after the other`, ms: LOOK_MS };
  }
  return roll.restart === 'pair'
    ? { kind: 'leave' }
    : { kind: 'do', action: 'stop-k2hdkc', why: `${why}: k2hdkc starts again` };
}

/**
 * A step out of the ring, as one of a restart. When the leave is late or undone the programs restart
 * in their place, as after a crash; unless the data would stay behind.
 */
export function rollStep(step: Step, roll: RollView | null): Step {
  if (roll === null) return step;
  const why = `new values of ${roll.keys.join(', ')}: ${step.why}`;
  return step.kind === 'do' && step.action === 'leave-ring' && !roll.leavesData
    ? { ...step, action: 'leave-to-restart', why }
    : { ...step, why };
}

/** How long this node must still wait for its turn, as it looks now (ms). */
function untilTurn(observed: Observed, changeWaitMs: number): number {
  const { roll, status, statusStableMs, ringStillMs, role } = observed;
  if (roll === null) return 0;
  const latest = changeWaitMs * Math.max(1, role.servers) - roll.waitedMs;
  if (status === null) return Math.min(latest, changeWaitMs - roll.waitedMs);
  const { self } = status;
  if (self.ring === 'SLAVE' || others(status).every(({ live }) => live !== 'UP')) return 0;
  // Left already, by an agent before this one; a merge that others lead passes through it.
  if (self.ring === 'SERVICE OUT' && statusStableMs > PASSING_MS) return 0;
  const still = Math.min(ringStillMs, roll.waitedMs);
  const turn = roll.before * (TURN_MS + TURN_PER_SERVER_MS * role.servers);
  const quiet = othersChange(status) ? changeWaitMs : QUIET_MS;
  return Math.min(latest, quiet + turn - still);
}

function othersChange(status: RingStatus): boolean {
  return membershipChangeRuns(status) || others(status).some((server) => !isServing(server));
}

function others({ self, servers }: RingStatus): RingNode[] {
  return servers.filter((server) => !sameServer(server, self));
}
