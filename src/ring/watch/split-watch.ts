import { VIEW_ANSWER_MS } from '../control/control-ports.ts';
import type { Clock } from '../../base/clock.ts';
import { sameServer, serverKey } from '../ring.ts';
import type { RingNode, RingStatus } from '../status.ts';
import type { Finding } from './concerns.ts';
import { GiveInTries, type GiveIn } from './give-in.ts';
import { Listening } from './listening.ts';
import type { Split, SplitPatience, SplitPolicy, SplitVerdict } from './split-policy.ts';

/** What a split watch works with. Times in milliseconds. */
export interface SplitWatchOptions {
  /** That of a server, or of a slave. */
  policy: SplitPolicy;
  /** Whether anybody takes connections on the control port of a server, without a word to it. */
  listens: (server: RingNode) => Promise<boolean>;
  /** Asks the control port of a server; see ControlPorts. */
  viewOf: (server: RingNode, limitMs: number) => Promise<RingNode[]>;
  /** CUKs of the servers that the role has. */
  role: () => ReadonlySet<string>;
  /** Who is to give in waits so long for the ring to come together by itself. */
  giveInAfterMs: number;
  clock: Clock;
}

/** Between two looks for a split (ms). */
const ROUND_MS = 5_000;
/** What was seen so long ago says nothing of now: the ring was not settled meanwhile (ms). */
const STALE_MS = 30_000;

/**
 * Finds out whether this node must start its programs again because a cut has split the ring
 * (docs/watch.md). chmpx never tries again to reach a server that it has lost, so the agent looks
 * whether those servers listen, asks one that has listened for a while, and has the policy of its
 * kind of node judge. Who gives in does so when that has been the verdict for long, and waits longer
 * each time that it does not help.
 */
export class SplitWatch {
  readonly #options: SplitWatchOptions;
  readonly #listening: Listening;
  readonly #tries: GiveInTries;
  #heard: readonly RingNode[] = [];
  #notBefore = 0;
  #split: Split | null = null;
  #seenAt = -Infinity;
  #givesInSince: number | null = null;

  constructor(options: SplitWatchOptions) {
    this.#options = options;
    this.#listening = new Listening(options.listens, options.clock);
    this.#tries = new GiveInTries(options.giveInAfterMs, options.clock);
  }

  /** What this node should do about it now; null: nothing. */
  get giveIn(): GiveIn | null {
    if (this.#givesInSince === null || this.#seenMs > 2 * ROUND_MS) return null;
    const lastedMs = this.#options.clock.monotonic() - this.#givesInSince;
    if (lastedMs < this.#patience.verdictMs) return null;
    return this.#split?.giveIn ?? null;
  }

  /** This node's programs start again for it, at once. */
  gaveIn(): void {
    this.#tries.tried();
    this.forget();
  }

  /** What is wrong, for a person. */
  get findings(): Finding[] {
    if (this.#split === null || this.#seenMs > STALE_MS) return [];
    const text = this.#split.text(this.#tries.count);
    const { normalMs: patienceMs } = this.#options.policy;
    return [{ kind: 'ring-split', subject: 'ring', text, patienceMs }];
  }

  /** How a server that was asked for another reason sees the ring. */
  heard(view: readonly RingNode[]): void {
    this.#heard = view;
  }

  /** The ring cannot be seen: chmpx does not run. */
  forget(): void {
    this.#listening.forget();
    this.#heard = [];
    this.#split = null;
    this.#givesInSince = null;
  }

  /** Looks once, if it is time. To be called while the ring, as this node sees it, is settled. */
  async look(ring: RingStatus): Promise<void> {
    const { clock, policy, role } = this.#options;
    if (clock.monotonic() < this.#notBefore) return;
    const members = role();
    const others = ring.servers.filter(
      (one) => members.has(one.cuk) && !sameServer(one, ring.self),
    );
    const lost = others.filter(({ live }) => live === 'DOWN');
    const back = await this.#listening.look(lost, this.#patience.listenMs);
    const heard = this.#heard;
    this.#heard = [];
    const wasSplit = this.#split !== null;
    const ask = this.#viewsOf.bind(this);
    const verdict = await policy.judge({ ring, others, lost, back, heard, wasSplit, ask });
    this.#notBefore = clock.monotonic() + ROUND_MS;
    if (verdict) this.#take(verdict);
  }

  #take({ split, isWhole }: SplitVerdict): void {
    const before = this.#seenMs > STALE_MS ? null : this.#givesInSince;
    const now = this.#options.clock.monotonic();
    this.#givesInSince = split?.giveIn ? (before ?? now) : null;
    this.#split = split;
    this.#seenAt = now;
    if (isWhole) this.#tries.calm();
  }

  /** How those see the ring that answer, by `serverKey`. */
  async #viewsOf(servers: readonly RingNode[]): Promise<Map<string, readonly RingNode[]>> {
    const views = new Map<string, readonly RingNode[]>();
    const ask = async (one: RingNode): Promise<void> => {
      // Who does not answer is down, or hangs: no side of a split.
      const view = await this.#options.viewOf(one, VIEW_ANSWER_MS).catch(() => null);
      if (view) views.set(serverKey(one), view);
    };
    await Promise.all(servers.map(ask));
    return views;
  }

  /** How long ago the last verdict was (ms). */
  get #seenMs(): number {
    return this.#options.clock.monotonic() - this.#seenAt;
  }

  get #patience(): SplitPatience {
    return this.#options.policy.patience(this.#tries.patienceMs);
  }
}
