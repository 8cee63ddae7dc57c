import { systemClock, type Clock } from '../../../src/base/clock.ts';

/** Minutes that pass when a test says so. */
export class Minutes {
  /** What runs when they have passed. */
  #later: (() => void)[] = [];

  /** The system's clock, but for waits of two minutes and longer. */
  readonly clock: Clock = {
    ...systemClock,
    after: (ms, run) => {
      if (ms < 120_000) return systemClock.after(ms, run);
      this.#later.push(run);
      return () => {
        this.#later = this.#later.filter((one) => one !== run);
      };
    },
  };

  /** So many wait for them. */
  get waiting(): number {
    return this.#later.length;
  }

  pass(): void {
    for (const run of this.#later.splice(0)) run();
  }
}
