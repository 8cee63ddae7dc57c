/** Stops what it was returned for; calling it again does nothing. */
export type Cancel = () => void;

/**
 * Time as a parameter: everything that waits or dates takes a `Clock`, so that tests inject time
 * instead of sleeping, and so that steps of the wall clock cannot stop a timer.
 */
export interface Clock {
  /** Wall clock in milliseconds since the epoch, with fractions. May step in either direction. */
  wall(): number;
  /** Milliseconds since an arbitrary moment. Never steps. */
  monotonic(): number;
  /** Calls `run` once, `ms` milliseconds of monotonic time from now. */
  after(ms: number, run: () => void): Cancel;
}

/** Node.js runs a timer for longer than this at once (ms); 24.8 days are long enough. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Resolves after `ms` milliseconds, or at once when `signal` aborts (it never rejects: the caller
 * looks at the signal, because a wait that was cut short is not an error).
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = (): void => {
      cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
