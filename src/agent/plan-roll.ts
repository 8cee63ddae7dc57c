import { membershipChangeRuns, otherServersIn, sameServer } from '../cluster/ring.ts';
import { isServing, type RingStatus } from '../cluster/status.ts';
import type { Observed } from './observed.ts';
import type { PlanTimes, Step } from './plan.ts';

/** A ring that is to change must have been the same for so long (ms). */
const QUIET_MS = 3_000;
/**
 * Between servers that could restart at the same time: more than agents differ in when they read
 * the role, every 5 s and every 0.15 s for each server (ms).
 */
const TURN_MS = 6_000;
const TURN_PER_SERVER_MS = 150;
/** A restart of another's k2hdkc is over in a second, and must be seen (ms). */
const LOOK_MS = 250;

/**
 * What follows from an ini that needs a restart of programs that run: one server of the ring after
 * the other, in ring order, as far as chmpxstatus tells; a change of another is waited for, but not
 * for ever. `leave`: this node leaves the ring and stops, to start with the new ini.
 */
export function planRoll(
  observed: Observed,
  times: PlanTimes,
): Step | { kind: 'leave'; why: string } | null {
  const { roll, chmpx, leaveOver } = observed;
  if (roll === null) return null;
  const waitMs = leaveOver || !chmpx ? 0 : untilTurn(observed, times.coordinated.changeWaitMs);
  const why = `new values of ${roll.keys.join(', ')}`;
  if (waitMs > 0) {
    return { kind: 'wait', why: `${why}: one server restarts after the other`, ms: LOOK_MS };
  }
  return roll.restart === 'pair'
    ? { kind: 'leave', why }
    : { kind: 'do', action: 'stop-k2hdkc', why: `${why}: k2hdkc starts again` };
}

/** How long this node must still wait for its turn, as it looks now (ms). */
function untilTurn({ roll, status, ringStillMs, role }: Observed, changeWaitMs: number): number {
  if (roll === null) return 0;
  const latest = changeWaitMs * Math.max(1, role.servers) - roll.waitedMs;
  if (status === null) return Math.min(latest, changeWaitMs - roll.waitedMs);
  if (otherServersIn(status).length === 0) return 0;
  // Begun already, by an agent before this one.
  if (status.self.operation === 'DELETE' || status.self.ring !== 'SERVICE IN') return 0;
  const still = Math.min(ringStillMs, roll.waitedMs);
  const turn = roll.before * (TURN_MS + TURN_PER_SERVER_MS * role.servers);
  const quiet = othersChange(status) ? changeWaitMs : QUIET_MS;
  return Math.min(latest, quiet + turn - still);
}

function othersChange(status: RingStatus): boolean {
  return (
    membershipChangeRuns(status) ||
    status.servers.some((server) => !isServing(server) && !sameServer(server, status.self))
  );
}
