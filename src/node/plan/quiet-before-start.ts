import type { NeighbourView } from '../../ring/neighbours.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import type { RoleView } from '../../role/role-view.ts';
import type { PlanTimes } from './step.ts';

/** How long until the neighbours are worth another look (ms). */
const LOOK_AGAIN_MS = 50;
/** chmpx is UP, and watches its ini, so long after its start (ms). */
const BLIND_MS = 5_000;
const RING_CHANGED = 'the ring has just changed';

/**
 * What chmpx's start still waits for, and for how long (ms); null when it may be now. A joiner
 * whose servers do not have it in their ini yet can stick, and of servers that start at the same
 * moment each can end up in a ring of its own (seen on chmpx 1.0.113: three of three, for good).
 * A ring of one waits for nobody: who comes while it starts joins it as any other (20 of 20). A slave
 * that a server does not know yet is refused by it, for good, also when that is the only one.
 */
export function quietBeforeStart(
  { servers, ringStableMs }: RoleView,
  neighbours: NeighbourView | null,
  times: PlanTimes,
  mode: DesiredState['mode'] = 'server',
): { why: string; ms: number } | null {
  if (servers <= (mode === 'slave' ? 0 : 1)) return null;
  const quietForMs = ringStableMs - times.ringStableMs;
  if (neighbours === null) return { why: 'looking for the other servers', ms: LOOK_AGAIN_MS };
  const { unaware, absentBefore, settledMs } = neighbours;
  if (unaware > 0) return { why: 'servers that run must know this node first', ms: LOOK_AGAIN_MS };
  // Who joins by command can start at the same moment: 8 of 8 rings of three.
  const spacingMs = times.merge === 'coordinated' ? 0 : times.startSpacingMs;
  const ms = absentBefore * spacingMs - Math.min(quietForMs, settledMs);
  if (ms <= 0) return null;
  return { why: absentBefore > 0 ? 'the servers before this one start first' : RING_CHANGED, ms };
}

/**
 * Whether chmpx has just been started: between its look at the ini and its watch of it, another one
 * would be missed, and with it the servers that it names.
 */
export function chmpxStarts({ seen: { chmpx, status } }: Observed): boolean {
  return chmpx !== null && chmpx.runningMs < BLIND_MS && status?.self.live !== 'UP';
}
