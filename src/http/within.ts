import type { Clock } from '../base/clock.ts';

/**
 * Settles like `work`, which is given a signal: that is aborted after `ms` milliseconds, which it says,
 * or with the caller's own. `work` must settle then.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = clock.after(ms, () => {
    deadline.abort(new Error(`no complete answer within ${ms / 1000} s`));
  });
  try {
    return await work(signal ? AbortSignal.any([deadline.signal, signal]) : deadline.signal);
  } finally {
    cancel();
  }
}
