import type { Clock } from './clock.ts';

/** Allows so many of something in each period of time, counted from the first one, and no more. */
export class Allowance {
  readonly #most: number;
  readonly #periodMs: number;
  readonly #clock: Clock;
  #taken = 0;
  #since = -Infinity;

  /** @param most how many in `periodMs` milliseconds. */
  constructor(most: number, periodMs: number, clock: Clock) {
    this.#most = most;
    this.#periodMs = periodMs;
    this.#clock = clock;
  }

  /** Whether one more may be. */
  take(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#since >= this.#periodMs) {
      this.#since = now;
      this.#taken = 0;
    }
    return ++this.#taken <= this.#most;
  }
}
