import type { Clock } from '../base/clock.ts';

const MICROSECONDS = 1e6;

/**
 * The `sent` of conductor messages: wall clock seconds that strictly increase by at least a
 * microsecond. The conductor silently discards a message whose `sent` is not greater than the last
 * one of the same kind (docs/contracts/trove.md, 5.4), so when the wall clock steps back, counting
 * goes on from the last value until the clock has caught up.
 */
export class SentClock {
  readonly #clock: Clock;
  /** In whole microseconds, so that adding one is exact. */
  #last: number;

  /** `last` is the greatest value handed out before the agent was restarted, in seconds. */
  constructor(clock: Clock, last = 0) {
    this.#clock = clock;
    this.#last = Math.round(last * MICROSECONDS);
  }

  /** The value handed out last, in seconds; 0 before the first. To be kept over restarts. */
  get last(): number {
    return this.#last / MICROSECONDS;
  }

  /** The next value, in seconds. */
  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.wall() * 1000));
    return this.last;
  }
}
