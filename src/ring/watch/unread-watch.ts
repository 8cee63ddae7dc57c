import type { Clock } from '../../base/clock.ts';
import { unreadBytes } from '../../host/unread-bytes.ts';

/**
 * A connection that is not read for so long never will be (ms): a worker of chmpx waits at most 5 s
 * for the rest of a message, and 5 s more for a client that does not take it.
 */
export const UNREAD_MS = 15_000;

/** What an unread watch works with. */
export interface UnreadWatchOptions {
  /** The process that should read its connections; undefined: none runs. */
  pid: () => number | undefined;
  clock: Clock;
  /** Default: from /proc. */
  bytes?: typeof unreadBytes;
}

/** One connection in which something waits. */
interface Waiting {
  bytes: number;
  /** Nothing has been read from it since then, monotonic, in milliseconds. */
  since: number;
}

/**
 * Sees a chmpx that has stopped reading one of its connections, which no status shows: bytes wait
 * in it, and become no fewer. chmpx (1.0.113) hands a connection that has news to a worker thread,
 * and can lose the hand-over when that worker is just about to sleep; epoll says it only once. The
 * answers lie there until something else comes through the same connection (docs/slave.md).
 */
export class UnreadWatch {
  readonly #options: UnreadWatchOptions;
  #pid: number | undefined;
  #waiting = new Map<string, Waiting>();

  constructor(options: UnreadWatchOptions) {
    this.#options = options;
  }

  /** For how long a connection has not been read although something waits in it (ms); else 0. */
  get unreadMs(): number {
    if (this.#pid === undefined || this.#options.pid() !== this.#pid) return 0;
    const now = this.#options.clock.monotonic();
    return Math.max(0, ...[...this.#waiting.values()].map(({ since }) => now - since));
  }

  /** Looks once; to be called every few seconds. */
  async look(): Promise<void> {
    const { pid, clock, bytes: read = unreadBytes } = this.#options;
    const looked = pid();
    const found = looked === undefined ? new Map<string, number>() : await read(looked);
    const before = looked === this.#pid ? this.#waiting : new Map<string, Waiting>();
    const now = clock.monotonic();
    this.#pid = looked;
    this.#waiting = new Map();
    for (const [inode, bytes] of found) {
      const known = before.get(inode);
      const since = known && bytes >= known.bytes ? known.since : now;
      this.#waiting.set(inode, { bytes, since });
    }
  }
}
