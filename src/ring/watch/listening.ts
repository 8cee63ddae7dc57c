import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../ring.ts';
import type { RingNode } from '../status.ts';

/** Knows since when servers that are taken for down take connections on their control port. */
export class Listening {
  readonly #listens: (server: RingNode) => Promise<boolean>;
  readonly #clock: Clock;
  #since = new Map<string, number>();

  /** @param listens whether anybody takes connections there, without a word to it. */
  constructor(listens: (server: RingNode) => Promise<boolean>, clock: Clock) {
    this.#listens = listens;
    this.#clock = clock;
  }

  forget(): void {
    this.#since = new Map();
  }

  /** Those of them that have listened at every look for at least so long, in milliseconds. */
  async look(lost: readonly RingNode[], leastMs: number): Promise<RingNode[]> {
    const before = this.#since;
    this.#since = new Map();
    const now = this.#clock.monotonic();
    const all = await Promise.all(lost.map((one) => this.#listens(one)));
    return lost.filter((one, at) => {
      if (all[at] !== true) return false;
      const since = before.get(serverKey(one)) ?? now;
      this.#since.set(serverKey(one), since);
      return now - since >= leastMs;
    });
  }
}
