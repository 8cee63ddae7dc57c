import type { Clock } from '../../base/clock.ts';
import { VIEW_ANSWER_MS } from '../control/control-ports.ts';
import { serverKey } from '../ring.ts';
import { isServing, type RingNode, type RingStatus } from '../status.ts';
import type { Finding } from './concerns.ts';
import { GiveInTries, type GiveIn } from './give-in.ts';

/** What refusals are seen with. */
export interface RefusalsOptions {
  /** Whether anybody takes connections on the control port of a server, without a word to it. */
  listens: (server: RingNode) => Promise<boolean>;
  /** Asks the control port of a server; see ControlPorts. */
  viewOf: (server: RingNode, limitMs: number) => Promise<RingNode[]>;
  /** CUKs of the servers that the role has. */
  role: () => ReadonlySet<string>;
  clock: Clock;
}

/** A slave that was refused tries again after this, and twice as long each time that it does not help (ms). */
const TRY_AGAIN_MS = 1_000;
/** Between two looks until every server that runs has let the slave in (ms). */
const REFUSAL_LOOK_MS = 500;
/** chmpx is UP before it connects to the servers, and takes them for UP by the word of the first (ms). */
const CONNECTS_MS = 400;
/** After so long a server that is UP is connected, also when others before it were slow to refuse (ms). */
const CONNECTED_MS = 3_000;
/** A server that listens may be one that starts, which must not be asked: not before it has for so long (ms). */
const ALONE_MS = 5_000;
/** At least between two questions: somebody may be starting (ms). */
const REFUSAL_ASK_MS = 2_000;
/** So many tries are a matter of servers that have not read the role yet. */
const FEW_TRIES = 4;

/**
 * Sees servers that have refused this slave. A server lets in only whom its ini lists, and a slave that
 * was refused by some never tries these again (docs/contracts/ring.md, 2.5). No status says so: a
 * refused slave takes the server for down. So it is one that has not been UP since this chmpx started,
 * that listens, and that serves by the word of a server which did let the slave in; when none did, by
 * its own, after some seconds.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #tries: GiveInTries;
  /** The chmpx that the rest is about, and the one that was looked at to the end. */
  #chmpx: number | null = null;
  #judged: number | null = null;
  /** Since when it has been UP, as far as was seen, monotonic (ms). */
  #upSince: number | null = null;
  /** CUKs of those that were UP since it started. */
  #met = new Set<string>();
  /** `serverKey` of those that serve, as was said last. */
  #serving: ReadonlySet<string> = new Set();
  #askAt = 0;
  /** Since when servers listen and none is UP, monotonic (ms). */
  #aloneSince: number | null = null;
  #refused: readonly string[] = [];
  #since: number | null = null;

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#tries = new GiveInTries(TRY_AGAIN_MS, options.clock);
  }

  /** Whether no server that serves has refused the chmpx that runs with this process id. */
  hasLetIn(chmpxPid: number): boolean {
    return this.#judged === chmpxPid && this.#refused.length === 0;
  }

  /** Those of these CUKs whose servers were UP since chmpx started. */
  metOf(cuks: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...cuks].filter((cuk) => this.#met.has(cuk)));
  }

  /** What this slave should do about it now; null: nothing. */
  get giveIn(): GiveIn | null {
    if (this.#since === null) return null;
    if (this.#options.clock.monotonic() - this.#since < this.#tries.patienceMs) return null;
    return { why: this.#why, holdMs: 0 };
  }

  /** chmpx starts again for it, at once. */
  gaveIn(): void {
    this.#tries.tried();
    this.#since = null;
  }

  /** What is wrong, for a person; it stays until a chmpx was let in by all. */
  get findings(): Finding[] {
    if (this.#refused.length === 0) return [];
    const then =
      this.#tries.count <= FEW_TRIES
        ? 'chmpx of this slave starts again'
        : `starting its chmpx again did not help ${this.#tries.count} times: look at their agents' logs, they should read the role in K2HR3`;
    const text = `${this.#why}: ${then}`;
    return [{ kind: 'refused', subject: 'ring', text, patienceMs: TRY_AGAIN_MS }];
  }

  /**
   * Looks once at the ring as this slave sees it.
   *
   * @returns in how many milliseconds to look again; null when all that run have surely let it in.
   */
  async look(ring: RingStatus): Promise<number | null> {
    const { listens, role, clock } = this.#options;
    if (ring.chmpxPid !== this.#chmpx) this.#begin(ring.chmpxPid);
    if (ring.self.live !== 'UP') return REFUSAL_LOOK_MS;
    this.#upSince ??= clock.monotonic();
    const upMs = clock.monotonic() - this.#upSince;
    if (upMs < CONNECTS_MS) return REFUSAL_LOOK_MS;
    const isSure = upMs >= CONNECTED_MS;
    for (const { live, cuk } of ring.servers) if (isSure && live === 'UP') this.#met.add(cuk);
    const members = role();
    const isStrange = ({ live, cuk }: RingNode): boolean =>
      live === 'DOWN' && members.has(cuk) && !this.#met.has(cuk);
    const strange = ring.servers.filter(isStrange);
    const all = await Promise.all(strange.map((one) => listens(one)));
    const listening = strange.filter((_, at) => all[at]);
    if (!(await this.#ask(ring, listening))) return REFUSAL_LOOK_MS;
    this.#refused = listening
      .filter((one) => this.#serving.has(serverKey(one)))
      .map(({ name }) => name);
    this.#since = this.#refused.length === 0 ? null : (this.#since ?? clock.monotonic());
    this.#judged = ring.chmpxPid;
    if (strange.length === 0) this.#tries.calm();
    return listening.length > 0 || !isSure ? REFUSAL_LOOK_MS : null;
  }

  #begin(chmpxPid: number): void {
    this.#chmpx = chmpxPid;
    this.#upSince = null;
    this.#met = new Set();
    this.#serving = new Set();
    this.#askAt = 0;
    this.#aloneSince = null;
    this.#since = null;
  }

  /**
   * Asks who serves: one that serves this slave, else one that has listened for long. False: it is too
   * early for that.
   */
  async #ask({ servers }: RingStatus, listening: readonly RingNode[]): Promise<boolean> {
    const { viewOf, clock } = this.#options;
    const now = clock.monotonic();
    const isAlone = listening.length > 0 && !servers.some(({ live }) => live === 'UP');
    this.#aloneSince = isAlone ? (this.#aloneSince ?? now) : null;
    if (isAlone && now - (this.#aloneSince ?? now) < ALONE_MS) return false;
    const asked = isAlone ? listening[0] : servers.find(isServing);
    if (!asked || listening.length === 0 || now < this.#askAt) return true;
    this.#askAt = now + REFUSAL_ASK_MS;
    // Who does not answer hangs, or is just starting.
    const view = await viewOf(asked, VIEW_ANSWER_MS).catch(() => []);
    this.#serving = new Set(view.filter(isServing).map(serverKey));
    return true;
  }

  get #why(): string {
    const names = this.#refused.join(', ');
    return `${names} serve in the ring, and have refused this slave: they did not know it when its chmpx started`;
  }
}
