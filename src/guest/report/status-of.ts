import type { ServiceStatus } from '../../trove/statuses.ts';
import type { DesiredState } from '../../node/desired-state.ts';
import type { Observed } from '../../node/observed.ts';
import { nodeState, type NodeState } from '../../node/node-state.ts';

/** The status that Trove should see, by the table of docs/statuses.md; null before prepare. */
export function statusOf(desired: DesiredState, observed: Observed): ServiceStatus | null {
  switch (desired.phase) {
    case 'new':
      return null;
    case 'preparing':
      return 'building';
    case 'ready':
      return 'instance ready';
    case 'failed':
      return 'failed to spawn';
    case 'prepared':
      return preparedStatus(desired, observed);
  }
}

function preparedStatus(desired: DesiredState, observed: Observed): ServiceStatus {
  // A shrink ends with the deletion of this server: nothing may look wrong until then.
  if (desired.shrinking) return 'healthy';
  return STATUS_OF_STATE[nodeState(desired, observed)] ?? 'running';
}

/** A crash loop is `crashed`; every other state that is not here is `running`. */
const STATUS_OF_STATE: Partial<Record<NodeState, ServiceStatus>> = {
  serving: 'healthy',
  stopped: 'shutdown',
  failed: 'crashed',
};
