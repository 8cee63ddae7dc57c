import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import { withDeadline } from '../../base/wait.ts';
import type { RingSight } from '../sight.ts';
import type { RingStatus } from '../status.ts';

/** chmpxstatus takes 9 ms, on a busy machine a second: a look gets so long at least (ms). */
const LOOK_MS = 1_000;

/** A look at the ring that must not take more time than the change; null when it does. */
export function lookBefore(
  clock: Clock,
  deadline: number,
  sight: Pick<RingSight, 'look'>,
): Promise<RingStatus | null> {
  const until = Math.max(deadline, clock.monotonic() + LOOK_MS);
  return before(clock, until, sight.look()).catch(() => null);
}

/**
 * Waits for an answer until the deadline of the change that it is a part of: a control port that
 * takes a connection and stays silent must not take more time than the whole change has.
 *
 * @param deadline of the monotonic clock, in milliseconds.
 * @throws AgentError when the deadline comes first; what the work rejects with.
 */
export function before<T>(clock: Clock, deadline: number, work: Promise<T>): Promise<T> {
  const leftMs = Math.max(0, deadline - clock.monotonic());
  return withDeadline(
    clock,
    leftMs,
    work,
    () => new AgentError('no answer before the time was up', { retryable: true }),
  );
}
