import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../ring.ts';
import { statusWords } from '../status.ts';
import type { Order } from './merge-order.ts';

/** An order that seems to have had no effect is given again after so long (ms). */
export const REPEAT_MS = 2_000;
/** A command that fails again and again is in the log once in so long (ms). */
const SAY_AGAIN_MS = 60_000;

/** What a leader has given already: a view lags behind, and what fails may fail for long. */
export class GivenOrders {
  readonly #clock: Clock;
  readonly #given = new Map<string, { words: string; at: number }>();
  readonly #said = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether this order is to be given now, which counts as given then: not again while nothing has
   * changed. One to the whole ring counts as the same whatever has changed: chmpx can carry it out 5 s
   * later, in the next merge.
   */
  isDue({ command, at, names = at }: Order): boolean {
    const now = this.#clock.monotonic();
    const key = `${command} ${serverKey(names)}`;
    const words = command.startsWith('SERVICE') ? statusWords(names) : '';
    const last = this.#given.get(key);
    if (last?.words === words && now - last.at < REPEAT_MS) return false;
    this.#given.set(key, { words, at: now });
    return true;
  }

  /** Whether this failure is to be said: the same is said once a minute. */
  isNews({ command, at, names = at }: Order, reason: string): boolean {
    const now = this.#clock.monotonic();
    const what = `${command} ${serverKey(names)} ${reason}`;
    if (now - (this.#said.get(what) ?? -Infinity) < SAY_AGAIN_MS) return false;
    this.#said.set(what, now);
    return true;
  }
}
