import type { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';

/** When a join that was undone is tried again. */
export class JoinRetry {
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  #notBefore = 0;
  /** Joins in a row that were undone. */
  #undone = 0;

  constructor(backoff: Backoff, clock: Clock) {
    this.#backoff = backoff;
    this.#clock = clock;
  }

  /** How long it must still wait, in milliseconds. */
  get inMs(): number {
    return Math.max(0, this.#notBefore - this.#clock.monotonic());
  }

  /** It has joined. */
  joined(): void {
    this.#backoff.reset();
    this.#undone = 0;
  }

  /** Who hung itself starts its programs again now, which may be all that it takes: once it goes on at once. */
  undone(hungItself: boolean): void {
    this.#undone += 1;
    const pauseMs = hungItself && this.#undone === 1 ? 0 : this.#backoff.next();
    this.#notBefore = this.#clock.monotonic() + pauseMs;
  }
}
