import { createHash } from 'node:crypto';
import path from 'node:path';
import { LineFile } from '../host/line-file.ts';

/** A file with more bytes than this is begun again. */
const LARGEST_FILE = 64 * 1024;
/** Bytes of a line: a digest in hex. */
const LINE = 65;

/**
 * So often a message that is delivered again is tried: an agent that is killed several times in a row,
 * each time before its journal has the message, must not lose it.
 */
const MOST_TRIES = 60;

/**
 * How often messages were tried again. What the broker delivers again may be what ended the agent the
 * first time, or kept it busy until its watchdog did: it gets sixty more tries, and no other. So no
 * message can be a loop.
 *
 * Kept in `second-tries` of the state directory, a line with the SHA-256 of the body for each try: see
 * LineFile. Where it cannot be written the message is tried: a full disk must not make this VM deaf.
 */
export class SecondTries {
  readonly #file: LineFile;
  /** By digest. */
  readonly #tries = new Map<string, number>();
  readonly #most: number;

  constructor(stateDirectory: string, most = MOST_TRIES) {
    this.#most = most;
    this.#file = new LineFile(path.join(stateDirectory, 'second-tries'), LARGEST_FILE);
    const digests = this.#file.read().filter((line) => /^[0-9a-f]{64}$/.test(line));
    for (const digest of digests) this.#count(digest);
  }

  /** Whether a message that was delivered again may be tried now; if so, it is counted. */
  take(body: Uint8Array): boolean {
    const digest = createHash('sha256').update(body).digest('hex');
    if ((this.#tries.get(digest) ?? 0) >= this.#most) return false;
    if (this.#file.isFull(LINE)) {
      this.#tries.clear();
      this.#file.replace([digest]);
    } else this.#file.append(digest);
    this.#count(digest);
    return true;
  }

  #count(digest: string): void {
    this.#tries.set(digest, (this.#tries.get(digest) ?? 0) + 1);
  }
}
