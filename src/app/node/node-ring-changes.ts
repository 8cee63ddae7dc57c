import { Backoff, type Random } from '../../base/backoff.ts';
import type { AgentConfig } from '../../config/schema.ts';
import { JoinRetry } from '../../ring/change/join-retry.ts';
import { RingChanges, type RingChangesOptions } from '../../ring/change/ring-changes.ts';

/** Before a join that was undone is tried again: servers that hung start again meanwhile (ms). */
const UNDONE_PAUSE = { first: 45_000, cap: 900_000 };
/**
 * What is left to those that are Doing when another is Done, in `hang_after`, at least. Who hangs finds
 * that out itself; a leader that takes a slow one for it makes all begin anew (seen at a load of 30).
 */
const TAIL = 4;
/** A second try cured 1 of 6 merges that hung, more tries none; the ring is closed meanwhile. */
const MERGE_TRIES = 2;

/** How long leaving the ring may take for each purpose, in milliseconds. */
export function leaveLimits(cluster: AgentConfig['cluster']): RingChangesOptions['leaveLimits'] {
  const longest = cluster.leave_limit * 1000;
  return { stop: cluster.stop_leave_limit * 1000, restart: longest, good: longest };
}

/** What changes the ring of this VM's node, as it was configured. */
export function createRingChanges(
  cluster: AgentConfig['cluster'],
  parts: Pick<
    RingChangesOptions,
    'sight' | 'control' | 'record' | 'unfinished' | 'role' | 'clock' | 'log'
  > & { random: Random },
): RingChanges {
  const { random, ...common } = parts;
  return new RingChanges({
    ...common,
    mode: cluster.merge,
    pollMs: cluster.changing_status_interval * 1000,
    leaveLimits: leaveLimits(cluster),
    stuckAfterMs: cluster.stuck_after * 1000,
    changeWaitMs: cluster.change_wait * 1000,
    patience: {
      tailMs: cluster.hang_after * 1000 * TAIL,
      mergeMs: cluster.merge_limit * 1000,
      tries: MERGE_TRIES,
    },
    retry: new JoinRetry(new Backoff(UNDONE_PAUSE, random), common.clock),
  });
}
