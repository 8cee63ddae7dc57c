import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

/** A file with more bytes than this is begun again: 65 bytes a message. */
const LARGEST_FILE = 64 * 1024;

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
 * Kept in `second-tries` of the state directory, a line with the SHA-256 of the body for each try. It is written
 * without a sync, which outlives the process, if not a power cut. Where it cannot be written the
 * message is tried: a full disk must not make this VM deaf.
 */
export class SecondTries {
  readonly #file: string;
  /** By digest. */
  #tries = new Map<string, number>();

  readonly #most: number;

  constructor(stateDirectory: string, most = MOST_TRIES) {
    this.#most = most;
    this.#file = path.join(stateDirectory, 'second-tries');
    for (const digest of readDigests(this.#file)) this.#count(digest);
  }

  /** Whether a message that was delivered again may be tried now; if so, it is counted. */
  take(body: Uint8Array): boolean {
    const digest = createHash('sha256').update(body).digest('hex');
    if ((this.#tries.get(digest) ?? 0) >= this.#most) return false;
    const startsOver = sizeOf(this.#file) > LARGEST_FILE;
    if (startsOver) this.#tries = new Map();
    this.#count(digest);
    this.#append(`${digest}\n`, startsOver);
    return true;
  }

  #count(digest: string): void {
    this.#tries.set(digest, (this.#tries.get(digest) ?? 0) + 1);
  }

  #append(line: string, startsOver: boolean): void {
    const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NOFOLLOW } = constants;
    const how = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | (startsOver ? O_TRUNC : 0);
    try {
      const file = openSync(this.#file, how, 0o600);
      try {
        writeSync(file, line);
      } finally {
        closeSync(file);
      }
    } catch {
      // See above.
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Anything else in the file is of no use. */
function readDigests(file: string): string[] {
  try {
    if (sizeOf(file) > 2 * LARGEST_FILE) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^[0-9a-f]{64}$/.test(line));
  } catch {
    return []; // none yet
  }
}
