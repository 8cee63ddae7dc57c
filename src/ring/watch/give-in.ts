import type { Clock } from '../../base/clock.ts';

/** Why this node's programs should start again, and for how long they should be gone (ms). */
export interface GiveIn {
  why: string;
  holdMs: number;
}

/** Pauses between tries double up to this, and are short again after so long without one (ms). */
const LONGEST_MS = 900_000;

/** How long this node waits before it gives in (again): ever longer when it does not help. */
export class GiveInTries {
  readonly #firstMs: number;
  readonly #clock: Clock;
  #count = 0;
  #last = -Infinity;

  constructor(firstMs: number, clock: Clock) {
    this.#firstMs = firstMs;
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** So long it must have been wrong (ms). */
  get patienceMs(): number {
    return Math.min(LONGEST_MS, this.#firstMs * 2 ** this.#count);
  }

  tried(): void {
    this.#count += 1;
    this.#last = this.#clock.monotonic();
  }

  /** All is well. */
  calm(): void {
    if (this.#clock.monotonic() - this.#last > LONGEST_MS) this.#count = 0;
  }
}
