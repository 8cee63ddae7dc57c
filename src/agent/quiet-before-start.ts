import type { NeighbourView } from './neighbours.ts';
import type { RoleView } from './observed.ts';
import type { PlanTimes } from './plan.ts';

/**
 * How long the ring must have been the same before chmpx may start. A joiner whose servers do not
 * have it in their ini yet can stick, and of servers that start at the same moment each can end up
 * in a ring of its own (seen on chmpx 1.0.113: three of three, for good).
 */
export function quietBeforeStart(
  { servers, ringIsNew }: RoleView,
  neighbours: NeighbourView | null,
  times: PlanTimes,
): number {
  if (servers <= 1) return times.ringStableMs;
  // When no chmpx runs, none can run with an ini that lacks this node.
  const isLate = ringIsNew && neighbours?.up !== 0;
  const known = isLate ? times.joinAfterMs : times.ringStableMs;
  // Who joins by command can start at the same moment: 8 of 8 rings of three.
  const spacing = times.merge === 'coordinated' ? 0 : times.startSpacingMs;
  return known + (neighbours?.absentBefore ?? servers) * spacing;
}
