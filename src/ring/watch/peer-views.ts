import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { VIEW_ANSWER_MS } from '../control/control-ports.ts';
import { membershipChangeRuns, sameServer, serverKey } from '../ring.ts';
import { viewDifferences } from './ring-views.ts';
import { isServing, type RingNode, type RingStatus } from '../status.ts';
import type { Finding } from './concerns.ts';

/** What the views of other servers are read with. Times in milliseconds. */
export interface PeerViewsOptions {
  readStatus: () => Promise<RingStatus | null>;
  /** Asks the control port of a server; see ControlPorts. */
  viewOf: (server: RingNode, limitMs: number) => Promise<RingNode[]>;
  clock: Clock;
}

/** Before a server that did not answer is asked again, and one that differed (ms). */
const AGAIN_MS = 500;
const DIFFERS_AGAIN_MS = 1_500;
/** At least between two questions to one server, and to one that does not answer (ms). */
const ASK_MS = 2_500;
const ASK_SILENT_MS = 10_000;
/** So many failures in a row count: one can be chance. */
const MISSES = 2;
/** So many differences in a row count: news of a crash took 4 s through a ring of six once. */
const DIFFERENCES = 4;

/** What is known of one server that is asked. */
interface Asked {
  misses: number;
  differs: number;
  text: string;
  notBefore: number;
}

/**
 * Asks the next server in the ring's order how it sees the ring: where each agrees with the next,
 * all do. chmpxstatus shows no partition and no other view; only a server that is asked does. When
 * the next one does not answer, the one behind it is asked too, which tells a node that is cut off
 * from one whose neighbour is. One short question at a time, never while anybody starts, joins or
 * merges: that would disturb (docs/contracts/chmpx.md, 3.4).
 */
export class PeerViews {
  readonly #options: PeerViewsOptions;
  readonly #asked = new Map<string, Asked>();

  constructor(options: PeerViewsOptions) {
    this.#options = options;
  }

  /** What the servers that were asked have answered, or have not. Forgets who is not asked any more. */
  findings(ring: RingStatus): Finding[] {
    const servers = this.#askedIn(ring);
    const keys = new Set(servers.map(serverKey));
    for (const key of [...this.#asked.keys()]) if (!keys.has(key)) this.#asked.delete(key);
    return servers.flatMap((server): Finding[] => {
      const { misses, differs, text } = this.#of(server);
      const finding = { subject: server.name, text, patienceMs: 0 };
      if (misses >= MISSES) return [{ kind: 'no-answer', ...finding }];
      return differs >= DIFFERENCES ? [{ kind: 'view-differs', ...finding }] : [];
    });
  }

  /**
   * Asks one server of this settled ring, if it is time.
   *
   * @returns in how many milliseconds to look again; null when there is no hurry.
   */
  async ask(ring: RingStatus): Promise<number | null> {
    const { clock } = this.#options;
    const server = this.#askedIn(ring).find((one) => this.#of(one).notBefore <= clock.monotonic());
    if (!server) return null;
    const asked = this.#of(server);
    const result = await this.#ask(server, ring);
    // The ring may have changed meanwhile, and a server that went down is not silent.
    if (result.text !== '' && !sameView(ring, await this.#options.readStatus())) return AGAIN_MS;
    asked.misses = result.answers ? 0 : asked.misses + 1;
    asked.differs = result.answers && result.text !== '' ? asked.differs + 1 : 0;
    asked.text = result.text;
    const againMs = againAfter(asked);
    const pauseMs = this.#isSilent(server) ? ASK_SILENT_MS : ASK_MS;
    asked.notBefore = clock.monotonic() + (againMs ?? pauseMs);
    return againMs;
  }

  /** @returns what is wrong, in one line; an empty text when nothing is. */
  async #ask(server: RingNode, ring: RingStatus): Promise<{ answers: boolean; text: string }> {
    try {
      const view = await this.#options.viewOf(server, VIEW_ANSWER_MS);
      return { answers: true, text: differing(server, viewDifferences(ring.servers, view)) };
    } catch (error) {
      return { answers: false, text: silent(server, messageOf(error)) };
    }
  }

  /** The next server, and the one behind it while that one is silent. */
  #askedIn(ring: RingStatus): RingNode[] {
    const [next, afterNext] = successors(ring);
    if (!next) return [];
    return afterNext && this.#isSilent(next) ? [next, afterNext] : [next];
  }

  #isSilent(server: RingNode): boolean {
    return this.#of(server).misses >= MISSES;
  }

  #of(server: RingNode): Asked {
    const key = serverKey(server);
    const known = this.#asked.get(key);
    if (known) return known;
    const asked: Asked = { misses: 0, differs: 0, text: '', notBefore: 0 };
    this.#asked.set(key, asked);
    return asked;
  }
}

/** How long a doubt waits, in milliseconds; null when there is none. */
function againAfter({ misses, differs }: Asked): number | null {
  if (misses > 0) return misses < MISSES ? AGAIN_MS : null;
  return differs > 0 && differs < DIFFERENCES ? DIFFERS_AGAIN_MS : null;
}

/** Whether nobody starts, joins or merges: all serve, except slaves and those that are down. */
export function isSettled(ring: RingStatus): boolean {
  return (
    (isServing(ring.self) || ring.self.ring === 'SLAVE') &&
    !membershipChangeRuns(ring) &&
    ring.servers.every((node) => isServing(node) || node.live === 'DOWN')
  );
}

/** The next two servers of the ring that serve, behind this one. */
function successors({ self, servers }: RingStatus): RingNode[] {
  const at = servers.findIndex((node) => sameServer(node, self));
  const behind = [...servers.slice(at + 1), ...servers.slice(0, Math.max(0, at))];
  return behind.filter((node) => isServing(node)).slice(0, 2);
}

function sameView(before: RingStatus, now: RingStatus | null): boolean {
  return now !== null && viewDifferences(before.servers, now.servers).length === 0;
}

function silent({ name }: RingNode, why: string): string {
  return `${name} is UP by chmpxstatus but does not answer: the network to it is cut, or its chmpx hangs (${why}); look at the network between the two and at its agent's log`;
}

/** Nobody reads more than this many servers in one line. */
const MOST = 3;

function differing({ name }: RingNode, differences: readonly string[]): string {
  if (differences.length === 0) return '';
  const more = differences.length > MOST ? `, and ${differences.length - MOST} more` : '';
  return `${name} sees the ring otherwise: ${differences.slice(0, MOST).join(', ')}${more}; if that lasts, restart the one that is wrong by Trove`;
}
