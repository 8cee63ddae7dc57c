import { createHash } from 'node:crypto';
import path from 'node:path';
import { LineFile } from '../host/line-file.ts';
import type { TriesAgain } from '../oslo/rpc-server.ts';

/** A file with more bytes than this is begun again, with what is suspicious. */
const LARGEST_FILE = 64 * 1024;
/** Bytes of the longest line: a digest in hex, and that it was read. */
const LINE = 70;
/** So many that are suspicious outlive a file that is full, the newest. */
const MOST_SUSPICIOUS = 100;

/**
 * So often a message that was delivered again may be begun and not read to its end. Reading one takes a
 * millisecond or two, so that a kill from outside does not hit the same message in it twice.
 */
const MOST_UNREAD = 2;
/**
 * So often it may be tried in all: an agent that is killed several times in a row, each time before its journal,
 * on a slow disk, has the message, must not lose it.
 */
const MOST_TRIES = 60;

interface Tries {
  inAll: number;
  /** In a row: begun, and the agent ended before it was read. */
  unread: number;
}

/**
 * How often messages were tried again. What the broker delivers again may be what ended the agent the
 * first time, or kept it busy until its watchdog did. All that the body of a message can do by itself
 * is done while it is read, in one turn (RpcServer.onDelivery): one in which an agent ended twice, after the
 * first time, is tried no more. So no body can be a loop.
 *
 * Kept in `second-tries` of the state directory, a line with the SHA-256 of the body for each try and one for its
 * survival: see LineFile. Where it cannot be written the message is tried: a full disk must not make this
 * VM deaf.
 */
export class SecondTries implements TriesAgain {
  readonly #file: LineFile;
  /** By digest. */
  readonly #tries = new Map<string, Tries>();
  /** What is being read in this turn. */
  #current: string | null = null;
  readonly #most: number;

  constructor(stateDirectory: string, most = MOST_TRIES) {
    this.#most = most;
    this.#file = new LineFile(path.join(stateDirectory, 'second-tries'), LARGEST_FILE);
    for (const line of this.#file.read()) {
      const [, digest, read] = /^([0-9a-f]{64})( read)?$/.exec(line) ?? [];
      if (digest !== undefined) this.#count(digest, read !== undefined);
    }
  }

  begin(body: Uint8Array): boolean {
    const digest = createHash('sha256').update(body).digest('hex');
    const { inAll, unread } = this.#tries.get(digest) ?? { inAll: 0, unread: 0 };
    if (inAll >= this.#most || unread >= MOST_UNREAD) return false;
    this.#current = digest;
    this.#note(digest, false);
    return true;
  }

  survived(): void {
    const digest = this.#current;
    this.#current = null;
    if (digest !== null) this.#note(digest, true);
  }

  #note(digest: string, read: boolean): void {
    if (this.#file.isFull(LINE)) this.#beginAgain();
    this.#file.append(read ? `${digest} read` : digest);
    this.#count(digest, read);
  }

  #beginAgain(): void {
    const suspicious = [...this.#tries].filter(([, { unread }]) => unread > 0);
    const kept = suspicious.slice(-MOST_SUSPICIOUS).flatMap(([digest, { unread }]) => {
      return Array.from({ length: unread }, () => digest);
    });
    this.#tries.clear();
    for (const digest of kept) this.#count(digest, false);
    this.#file.replace(kept);
  }

  #count(digest: string, read: boolean): void {
    const { inAll, unread } = this.#tries.get(digest) ?? { inAll: 0, unread: 0 };
    const next = read ? { inAll, unread: 0 } : { inAll: inAll + 1, unread: unread + 1 };
    this.#tries.set(digest, next);
  }
}
