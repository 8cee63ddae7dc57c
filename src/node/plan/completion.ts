import { CURE_PAUSE_MS } from '../../ring/change/cure.ts';
import { isUncompleted, sameServer } from '../../ring/ring.ts';
import { isServing, type RingStatus } from '../../ring/status.ts';
import type { Observed } from '../observed.ts';
import { act, type PlanTimes, type Step } from './step.ts';
import { turnMs } from './turns.ts';

/**
 * An automatic merge that is Done and that nobody completes: chmpx waits for a message that came
 * before it began to wait. Whose join, leave or return it is sends COMPMERGE; when its agent is dead,
 * the servers in service do, in ring order. One is enough, wherever it is sent.
 */
export function planCompletion(
  status: RingStatus,
  { memory: { ringStillMs, tieJitter, cureSentMs } }: Observed,
  { stuckAfterMs }: PlanTimes,
): Step | null {
  if (!isUncompleted(status)) return null;
  if (cureSentMs !== null && cureSentMs <= CURE_PAUSE_MS) return null;
  const { self, servers } = status;
  const order = [
    ...servers.filter(({ merge, live }) => merge === 'Done' && live === 'UP'),
    ...servers.filter((server) => isServing(server)),
  ];
  const place = order.findIndex((server) => sameServer(server, self));
  if (place < 0 || ringStillMs <= stuckAfterMs + turnMs(place, tieJitter)) return null;
  const whose = self.merge === 'Done' ? 'all data is here' : 'the data of another is there';
  const why = `${whose}, but nobody completes the merge`;
  return act({ do: 'cure', command: 'COMPMERGE' }, why);
}
