import type { Clock } from './clock.ts';

/**
 * Settles like `work`, or rejects with what `late` makes when `ms` milliseconds pass first. The
 * work itself goes on: whoever started it decides whether it must be stopped too.
 */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      reject(late());
    });
    work.then(resolve, reject).finally(cancel);
  });
}

/** A door that many can wait at and anyone can open for all who wait now. */
export class Changes {
  #waiters = new Set<() => void>();

  /** Wakes everybody who waits now. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }

  /**
   * Resolves at the next `notify`, after `ms` milliseconds, or when `signal` aborts, whichever
   * comes first.
   */
  wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        cancel();
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = clock.after(ms, wake);
      this.#waiters.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

/**
 * A bell for one listener that may be busy when it rings: a ring that nobody waited for is kept
 * until the next wait, so none is lost.
 */
export class Alarm {
  #rung = false;
  readonly #changes = new Changes();

  /** Wakes the listener now or, when it is busy, at its next `wait`. */
  ring(): void {
    this.#rung = true;
    this.#changes.notify();
  }

  /** Resolves at the next ring (at once if one was missed), after `ms`, or when `signal` aborts. */
  async wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#rung) await this.#changes.wait(clock, ms, signal);
    this.#rung = false;
  }
}
