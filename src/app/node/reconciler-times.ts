import type { AgentConfig } from '../../config/schema.ts';
import type { ReconcilerOptions } from '../../node/reconciler.ts';

/** The times of the reconciler, from the seconds of agent.yaml. */
export function reconcilerTimes(cluster: AgentConfig['cluster']): ReconcilerOptions['times'] {
  return {
    ringStableMs: cluster.ring_stable_for * 1000,
    startSpacingMs: cluster.start_spacing * 1000,
    startTimeoutMs: cluster.start_timeout * 1000,
    stuckAfterMs: cluster.stuck_after * 1000,
    changeWaitMs: cluster.change_wait * 1000,
    merge: cluster.merge,
    coordinated: {
      gatherMs: cluster.gather_for * 1000,
      takeOverMs: cluster.take_over_after * 1000,
      mergeMs: cluster.merge_limit * 1000,
    },
    watchMs: cluster.watch_after_change * 1000,
    changingMs: cluster.changing_status_interval * 1000,
    settledMs: cluster.status_interval * 1000,
  };
}
