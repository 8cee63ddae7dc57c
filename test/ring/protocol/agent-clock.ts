import type { Random } from '../../../src/base/backoff.ts';
import type { Cancel, Clock } from '../../../src/base/clock.ts';

/** Of the time in which nothing has changed, this part passes between two looks at it. */
const PART = 0.1;

interface Sleep {
  /** How long the caller has asked for (ms), and whether it is longer than that. */
  askedMs: number;
  isStretched: boolean;
  cancel: Cancel;
  run: () => void;
}

/**
 * The clock of one agent. Of one that was killed nothing goes on: its timers do not run.
 *
 * An agent looks several times a second, and mostly sees nothing new. Looks that would see nothing are
 * left out: the longer nothing has changed, the longer a pause is, so that what follows from time alone
 * is done a tenth late at most; and when something changes, the next look comes as soon as it would have.
 */
export class AgentClock implements Clock {
  readonly #clock: Clock;
  readonly #random: Random;
  /** The longest pause (ms): what an agent watches itself must be looked at. */
  readonly #longestMs: () => number;
  readonly #sleeps = new Set<Sleep>();
  #changedAt: number;
  #isDead = false;

  constructor(clock: Clock, random: Random, longestMs: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.#longestMs = longestMs;
    this.#changedAt = clock.monotonic();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  wall(): number {
    return this.#clock.wall();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(ms: number, run: () => void): Cancel {
    const quietMs = this.#clock.monotonic() - this.#changedAt;
    const stretched = Math.max(ms, Math.min(quietMs * PART, this.#longestMs()));
    const sleep: Sleep = {
      ...{ askedMs: ms, isStretched: stretched > ms },
      ...{ cancel: () => undefined, run },
    };
    sleep.cancel = this.#clock.after(stretched, () => {
      this.#end(sleep);
    });
    this.#sleeps.add(sleep);
    return () => {
      sleep.cancel();
      this.#sleeps.delete(sleep);
    };
  }

  /** Something that can be seen has changed. */
  changed(): void {
    this.#changedAt = this.#clock.monotonic();
    for (const sleep of this.#sleeps) {
      if (!sleep.isStretched) continue;
      sleep.isStretched = false;
      sleep.cancel();
      sleep.cancel = this.#clock.after(sleep.askedMs * this.#random(), () => {
        this.#end(sleep);
      });
    }
  }

  kill(): void {
    this.#isDead = true;
    for (const { cancel } of this.#sleeps) cancel();
    this.#sleeps.clear();
  }

  #end(sleep: Sleep): void {
    this.#sleeps.delete(sleep);
    if (!this.#isDead) sleep.run();
  }
}
