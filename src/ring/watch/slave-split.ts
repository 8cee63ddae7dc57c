import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../change/merge-steps.ts';
import { isServing, type RingNode, type RingStatus } from '../status.ts';
import type { Finding } from './concerns.ts';
import { GiveInTries, type GiveIn } from './give-in.ts';
import { Listening } from './listening.ts';
import type { RingSplit, SplitWatchOptions } from './split-watch.ts';

/** Between two looks (ms). */
const ROUND_MS = 5_000;
const ANSWER_MS = 2_000;

/**
 * Finds servers that a slave has lost in a cut although they serve. Its chmpx finds one of them again
 * when it had lost all, and places all keys on that one: most are not found then (chmpx 1.0.113, for
 * good). There are many slaves: a server that is down is only connected to, and one question goes to
 * one that is up when a lost one has listened for long.
 */
export class SlaveSplit implements RingSplit {
  readonly #options: SplitWatchOptions;
  readonly #clock: Clock;
  readonly #listening: Listening;
  readonly #tries: GiveInTries;
  #notBefore = 0;
  #lost: string[] = [];
  #seenAt = -Infinity;

  constructor(options: SplitWatchOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#listening = new Listening(options.listens, options.clock);
    this.#tries = new GiveInTries(options.giveInAfterMs, options.clock);
  }

  get giveIn(): GiveIn | null {
    const isFresh = this.#clock.monotonic() - this.#seenAt <= 2 * ROUND_MS;
    return this.#lost.length > 0 && isFresh ? { why: this.#why, holdMs: 0 } : null;
  }

  gaveIn(): GiveIn {
    const giveIn = { why: this.#why, holdMs: 0 };
    this.#tries.tried();
    this.forget();
    return giveIn;
  }

  get findings(): Finding[] {
    if (this.#lost.length === 0) return [];
    const text = `${this.#why}: chmpx of this slave starts again`;
    return [{ kind: 'ring-split', subject: 'ring', text, patienceMs: 0 }];
  }

  heard(): void {
    // A slave asks nobody for another reason.
  }

  forget(): void {
    this.#listening.forget();
    this.#lost = [];
  }

  async look(ring: RingStatus): Promise<void> {
    if (this.#clock.monotonic() < this.#notBefore) return;
    const members = this.#options.role();
    const lost = ring.servers.filter(({ cuk, live }) => live === 'DOWN' && members.has(cuk));
    const back = await this.#listening.look(lost, this.#tries.patienceMs);
    const [up] = ring.servers.filter(isServing);
    const view = up && back.length > 0 ? await this.#viewOf(up) : [];
    const serving = new Set(view.filter(isServing).map(serverKey));
    this.#lost = back.filter((one) => serving.has(serverKey(one))).map(({ name }) => name);
    this.#seenAt = this.#clock.monotonic();
    this.#notBefore = this.#seenAt + ROUND_MS;
    if (lost.length === 0) this.#tries.calm();
  }

  async #viewOf(server: RingNode): Promise<RingNode[]> {
    return this.#options.viewOf(server, ANSWER_MS).catch(() => []);
  }

  get #why(): string {
    return `${this.#lost.join(', ')} serve in the ring, and this slave has lost them in a cut`;
  }
}
