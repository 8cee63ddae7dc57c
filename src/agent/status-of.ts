import type { ServiceStatus } from '../trove/statuses.ts';
import type { DesiredState } from './desired-state.ts';
import type { Observed } from './observed.ts';
import { isStopped, serves } from './plan.ts';

/**
 * The status that Trove should see, by the table of docs/statuses.md; null before prepare.
 *
 * @param crashLoopAfter so many crashes without a good minute make a crash loop.
 */
export function statusOf(
  desired: DesiredState,
  observed: Observed,
  crashLoopAfter: number,
): ServiceStatus | null {
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
      return preparedStatus(desired, observed, crashLoopAfter);
  }
}

function preparedStatus(
  desired: DesiredState,
  observed: Observed,
  crashLoopAfter: number,
): ServiceStatus {
  if (desired.shrinking) return 'healthy';
  if (desired.stopped) return isStopped(observed) ? 'shutdown' : 'running';
  if (desired.parameters === null) return 'running';
  if (serves(desired, observed)) return 'healthy';
  return observed.crashes >= crashLoopAfter ? 'crashed' : 'running';
}
