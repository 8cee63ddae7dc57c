import type { Random } from '../../base/backoff.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { serverKey } from '../ring.ts';
import type { RingSight } from '../sight.ts';
import type { RingNode, RingStatus } from '../status.ts';
import type { ExpectedRing } from '../expected-ring.ts';
import { UNREAD_MS } from './unread-watch.ts';
import { ConcernKeeper, type Concern } from './concern-keeper.ts';
import { findConcerns, isExpected, type Finding, type WatchTimes } from './concerns.ts';
import { isSettled, PeerViews } from './peer-views.ts';
import { RowAges } from './row-ages.ts';
import type { UnreadWatch } from './unread-watch.ts';
import type { Refusals } from './refusals.ts';
import type { SplitWatch } from './split-watch.ts';

/** What a ring watch works with. */
export interface RingWatchOptions {
  /** Whether chmpx is to be seen at all. */
  isUp: () => boolean;
  sight: Pick<RingSight, 'look' | 'words' | 'ringStillMs'>;
  role: () => ExpectedRing;
  /** Asks another server how it sees the ring; null: nobody is asked, as by a slave. */
  viewOf: ((server: RingNode, limitMs: number) => Promise<RingNode[]>) | null;
  /** Sees a chmpx that does not read; null: it is not looked at, as on a server. */
  unread: Pick<UnreadWatch, 'look' | 'unreadMs'> | null;
  /** Looks for a split of the ring whenever others may be asked. */
  split: Pick<SplitWatch, 'look' | 'heard' | 'forget' | 'findings'>;
  /** Sees servers that have refused this slave; null on a server. */
  refusals: Pick<Refusals, 'look' | 'findings' | 'hasLetIn'> | null;
  times: WatchTimes;
  /** Something of the ring has changed, chmpx does not read, or it was let in. */
  onChange: () => void;
  /** Called after every look. */
  onLook: () => void;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** Between two looks; all concerns together must be seen within 10 s (ms). */
const CONCERN_LOOK_MS = 2_000;
/** Nobody is asked before the ring has been the same for so long (ms). */
const SETTLED_MS = 5_000;
/** A slave that starts is looked at this soon: whether it was let in is known by a look only (ms). */
const SLAVE_START_MS = 500;
/** The same for the list of servers in K2HR3: who is new there is about to start (ms). */
const ROLE_SETTLED_MS = 10_000;

/** Looks at the ring again and again, and says what concerns a person: docs/watch.md. */
export class RingWatch {
  readonly #options: RingWatchOptions;
  readonly #keeper: ConcernKeeper;
  readonly #peers: PeerViews | null;
  readonly #ages: RowAges;
  #seenUp = new Set<string>();
  #ring: RingStatus | null = null;
  /** What was said of the ring when `onChange` was called last. */
  #toldWords = '';

  constructor(options: RingWatchOptions) {
    const { clock, log, viewOf, split, sight } = options;
    this.#options = options;
    this.#keeper = new ConcernKeeper(clock, log);
    this.#ages = new RowAges(clock);
    this.#peers =
      viewOf &&
      new PeerViews({
        readStatus: () => sight.look(),
        viewOf: async (...question) => {
          const view = await viewOf(...question);
          split.heard(view);
          return view;
        },
        clock,
      });
  }

  /** What concerns somebody now, the oldest first. */
  get concerns(): Concern[] {
    return this.#keeper.concerns;
  }

  /** The ring as it was seen last; null when chmpx does not run. */
  get ring(): RingStatus | null {
    return this.#ring;
  }

  /** Looks until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onLook } = this.#options;
    while (!signal.aborted) {
      const pauseMs = await this.look();
      onLook();
      await sleep(clock, Math.min(pauseMs, CONCERN_LOOK_MS * (0.95 + 0.1 * random())), signal);
    }
  }

  /** Looks once; resolves with the pause before the next look, in milliseconds. */
  async look(): Promise<number> {
    const { isUp, sight, split, refusals } = this.#options;
    const ring = isUp() ? await sight.look() : null;
    // A reading that failed says nothing.
    if (ring === null && isUp()) return this.#startMs;
    this.#note(ring);
    if (ring === null) {
      split.forget();
      return Math.min(this.#keeper.look(refusals?.findings ?? []) ?? Infinity, this.#startMs);
    }
    const refusedMs = await this.#lookForRefusals(ring);
    const mayAsk = this.#mayAsk(ring);
    const askMs = mayAsk ? await this.#peers?.ask(ring) : null;
    if (mayAsk) await split.look(ring);
    const { role, times } = this.#options;
    const peers = this.#peers?.findings(ring) ?? [];
    const asked = [...peers, ...split.findings, ...(refusals?.findings ?? [])];
    const sighting = { ring, role: role(), seenUp: this.#seenUp, asked };
    const findings = [...findConcerns(sighting, times), ...(await this.#unread())];
    const nextMs = this.#keeper.look(findings);
    return Math.min(...[nextMs, askMs, refusedMs].map((ms) => ms ?? CONCERN_LOOK_MS));
  }

  /** Until the next look while the ring cannot be seen (ms). */
  get #startMs(): number {
    return this.#options.refusals ? SLAVE_START_MS : CONCERN_LOOK_MS;
  }

  async #lookForRefusals(ring: RingStatus): Promise<number | null> {
    const { refusals, onChange } = this.#options;
    if (!refusals) return null;
    const before = refusals.hasLetIn(ring.chmpxPid);
    const nextMs = await refusals.look(ring);
    if (refusals.hasLetIn(ring.chmpxPid) !== before) onChange();
    return nextMs;
  }

  /** What is done about it does not wait for the reconciler's next look. */
  async #unread(): Promise<Finding[]> {
    const { unread, onChange } = this.#options;
    await unread?.look();
    if (!unread || unread.unreadMs < UNREAD_MS) return [];
    onChange();
    const text = `chmpx has not read a connection for ${UNREAD_MS / 1000} s although answers wait in it: it starts again`;
    return [{ kind: 'unread', subject: 'chmpx', text, patienceMs: 0 }];
  }

  #mayAsk(ring: RingStatus): boolean {
    const { role, times, sight } = this.#options;
    const view = role();
    const expecting = { role: view, seenUp: this.#seenUp };
    const isLeftOver = (node: RingNode): boolean =>
      this.#ages.isLeftOver(node, view.cuks, times.startMs);
    return (
      isSettled({ ...ring, servers: ring.servers.filter((node) => !isLeftOver(node)) }) &&
      sight.ringStillMs >= SETTLED_MS &&
      view.ringStableMs >= ROLE_SETTLED_MS &&
      !ring.servers.some((node) => isExpected(node, expecting, times.startMs))
    );
  }

  #note(ring: RingStatus | null): void {
    const { sight, onChange } = this.#options;
    this.#ring = ring;
    this.#ages.note(ring?.servers ?? []);
    for (const node of ring?.servers ?? [])
      if (node.live === 'UP') this.#seenUp.add(serverKey(node));
    const words = ring ? sight.words : '';
    if (words === this.#toldWords) return;
    this.#toldWords = words;
    onChange();
  }
}
