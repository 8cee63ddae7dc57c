import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../change/merge-steps.ts';
import { sameServer } from '../ring.ts';
import { ringSides, servesByItself } from './ring-split.ts';
import type { RingNode, RingStatus } from '../status.ts';
import type { Finding } from './concerns.ts';
import { GiveInTries, type GiveIn } from './give-in.ts';
import { Listening } from './listening.ts';

/** What a split watch works with. Times in milliseconds. */
export interface SplitWatchOptions {
  /** Whether anybody takes connections on the control port of a server, without a word to it. */
  listens: (server: RingNode) => Promise<boolean>;
  /** Asks the control port of a server; see ControlPorts. */
  viewOf: (server: RingNode, limitMs: number) => Promise<RingNode[]>;
  /** CUKs of the servers that the role has. */
  role: () => ReadonlySet<string>;
  /** The side that is to give in waits so long for the ring to come together by itself. */
  giveInAfterMs: number;
  clock: Clock;
}

/** Finds out whether this node must start its programs again because the ring is split. */
export interface RingSplit {
  /** What this node should do about it now; null: nothing. */
  readonly giveIn: GiveIn | null;
  /** This node's programs start again for it, at once. */
  gaveIn(): GiveIn;
  /** What is wrong, for a person. */
  readonly findings: Finding[];
  /** How a server that was asked for another reason sees the ring. */
  heard(view: readonly RingNode[]): void;
  /** The ring cannot be seen: chmpx does not run. */
  forget(): void;
  /** Looks once, if it is time. To be called while the ring, as this node sees it, is settled. */
  look(ring: RingStatus): Promise<void>;
}

/** Between two looks for a split (ms). A chmpx that starts is UP to the others before the second. */
const ROUND_MS = 5_000;
/** A settled chmpx answers within 2 ms (ms). */
const ANSWER_MS = 2_000;
/** What was seen so long ago says nothing of now: the ring was not settled meanwhile (ms). */
const STALE_MS = 30_000;
/** A chmpx that starts takes its view of the ring from the first one that it finds: it must not be
 * one that still is to give in. The agents of one side see a split within so long (ms). */
const HOLD_MS = 20_000;
/** It is normal for so long: a ring of two, and news of a crash, need some seconds (ms). */
const NORMAL_MS = 5_000;

/**
 * Finds a ring that is split although the network is whole, and whether this node's side is the one
 * that gives in (docs/watch.md). Agents have no channel to each other: each asks all servers of the
 * role how they see the ring, also those that it takes for down when they have listened on their
 * control port for a while, and all come to the same verdict. Nobody is asked unless some server
 * that is down listens, or one that was asked takes this node for down.
 */
export class SplitWatch implements RingSplit {
  readonly #options: SplitWatchOptions;
  readonly #listening: Listening;
  readonly #tries: GiveInTries;
  #heard: readonly RingNode[] = [];
  #notBefore = 0;
  /** The newest verdict: the sides by name, the one that stays first. */
  #sides: string[][] = [];
  #own: string[] = [];
  #seenAt = -Infinity;
  #givesInSince: number | null = null;

  constructor(options: SplitWatchOptions) {
    this.#options = options;
    this.#listening = new Listening(options.listens, options.clock);
    this.#tries = new GiveInTries(options.giveInAfterMs, options.clock);
  }

  get giveIn(): GiveIn | null {
    const now = this.#options.clock.monotonic();
    if (this.#givesInSince === null || now - this.#seenAt > 2 * ROUND_MS) return null;
    if (now - this.#givesInSince < this.#tries.patienceMs) return null;
    return this.#what;
  }

  gaveIn(): GiveIn {
    const giveIn = this.#what;
    this.#tries.tried();
    this.forget();
    return giveIn;
  }

  get findings(): Finding[] {
    const isStale = this.#options.clock.monotonic() - this.#seenAt > STALE_MS;
    if (this.#sides.length === 0 || isStale) return [];
    const all = this.#sides.map((side) => side.join(', ')).join(' | ');
    const what = `the ring is split (${all}) although these servers reach each other`;
    const rest =
      this.#givesInSince === null
        ? `the programs of all but ${this.#stays} should start again by themselves, else restart these by Trove`
        : this.#tries.count < 2
          ? 'the programs of this node start again'
          : `starting this node's programs again did not help ${this.#tries.count} times: look at the network, its ports and its agent's log`;
    return [
      { kind: 'ring-split', subject: 'ring', text: `${what}: ${rest}`, patienceMs: NORMAL_MS },
    ];
  }

  heard(view: readonly RingNode[]): void {
    this.#heard = view;
  }

  forget(): void {
    this.#listening.forget();
    this.#heard = [];
    this.#sides = [];
    this.#givesInSince = null;
  }

  async look(ring: RingStatus): Promise<void> {
    const { clock, role } = this.#options;
    if (clock.monotonic() < this.#notBefore) return;
    const members = role();
    const others = ring.servers.filter(
      (one) => members.has(one.cuk) && !sameServer(one, ring.self),
    );
    const down = others.filter(({ live }) => live === 'DOWN');
    const back = await this.#listening.look(down, ROUND_MS);
    const seen = await this.#viewsOf(back);
    const views = new Map([...seen].filter(([key, view]) => servesByItself(key, view)));
    const lost = this.#heard.some((row) => row.live === 'DOWN' && sameServer(row, ring.self));
    this.#heard = [];
    this.#notBefore = clock.monotonic() + ROUND_MS;
    if (views.size === 0 && !lost && this.#sides.length === 0) {
      this.#judge([], ring);
      return;
    }
    const up = await this.#viewsOf(others.filter(({ live }) => live === 'UP'));
    const all = new Map([...views, ...up, [serverKey(ring.self), ring.servers]]);
    const order = ring.servers.map(serverKey).filter((key) => all.has(key));
    const sides = ringSides(new Map(order.map((key) => [key, all.get(key) ?? []])));
    if (sides) this.#judge(sides, ring);
  }

  #judge(sides: readonly string[][], ring: RingStatus): void {
    const now = this.#options.clock.monotonic();
    const isOwn = (side: readonly string[]): boolean => side.includes(serverKey(ring.self));
    const isSplit = sides.length > 1;
    const mustGiveIn = isSplit && !isOwn(sides[0] ?? []);
    const nameOf = (key: string): string =>
      ring.servers.find((one) => serverKey(one) === key)?.name ?? key;
    this.#sides = isSplit ? sides.map((side) => side.map(nameOf)) : [];
    this.#own = sides.find(isOwn)?.map(nameOf) ?? [];
    const isStale = now - this.#seenAt > STALE_MS;
    this.#givesInSince = mustGiveIn ? ((isStale ? null : this.#givesInSince) ?? now) : null;
    this.#seenAt = now;
    if (!isSplit) this.#tries.calm();
  }

  /** How those see the ring that answer, by `serverKey`. */
  async #viewsOf(servers: readonly RingNode[]): Promise<Map<string, readonly RingNode[]>> {
    const views = new Map<string, readonly RingNode[]>();
    const ask = async (one: RingNode): Promise<void> => {
      // Who does not answer is down, or hangs: no side of a split.
      const view = await this.#options.viewOf(one, ANSWER_MS).catch(() => null);
      if (view) views.set(serverKey(one), view);
    };
    await Promise.all(servers.map(ask));
    return views;
  }

  get #what(): GiveIn {
    const why = `the ring is split, and ${this.#own.join(', ')} must give in to ${this.#stays}`;
    return { why, holdMs: this.#own.length > 1 ? HOLD_MS : 0 };
  }

  get #stays(): string {
    return this.#sides[0]?.join(', ') ?? '';
  }
}
