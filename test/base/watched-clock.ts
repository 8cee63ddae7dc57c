import type { Cancel } from '../../src/base/clock.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from '../helpers/until.ts';

/** A manual clock that also tells what waits for it: a loop that waits has done its work. */
export class WatchedClock extends ManualClock {
  readonly #waiting = new Set<{ at: number }>();

  override after(ms: number, run: () => void): Cancel {
    const timer = { at: this.monotonic() + ms };
    this.#waiting.add(timer);
    const cancel = super.after(ms, () => {
      this.#waiting.delete(timer);
      run();
    });
    return () => {
      this.#waiting.delete(timer);
      cancel();
    };
  }

  /** In how many milliseconds each timer is due, the next one first. */
  get delays(): number[] {
    return [...this.#waiting].map(({ at }) => at - this.monotonic()).sort((a, b) => a - b);
  }

  /** Resolves with the delay of the next timer as soon as so many wait; for loops that use files. */
  untilWaiting(timers = 1): Promise<number> {
    const next = (): number | undefined =>
      this.delays.length < timers ? undefined : this.delays[0];
    return until('something waits for the clock', next, { everyMs: 1 });
  }
}
