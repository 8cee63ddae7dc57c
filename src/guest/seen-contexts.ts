import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { ContextMemory } from '../trove/guest-serializer.ts';

/** So many contexts are remembered: Trove asks some hundred times a day. */
const MOST_CONTEXTS = 4_096;
/** Bytes of a line: two digests of 32 hex digits. */
const LINE = 66;
/** Bytes of the end of a ciphertext by which it is known. */
const END_BYTES = 32;

/**
 * Which encrypted contexts came with which request. Trove encrypts the context of each request with random
 * bytes of its own, so that one that comes a second time under another id was copied by somebody who
 * has no key (docs/contracts/trove.md, 2.5).
 *
 * A context is known by its last two AES blocks: a copy whose front was changed, so that it still
 * decrypts to something, has them too.
 *
 * Kept in `contexts` of the state directory, a line for each, written without a sync: it outlives the
 * agent, if not a power cut. Where it cannot be written a request is taken all the same: a full disk
 * must not make this VM deaf.
 */
export class SeenContexts implements ContextMemory {
  readonly #file: string;
  readonly #most: number;
  /** The id of the request by context, both as digests; the oldest first. */
  readonly #ids: Map<string, string>;
  #lines: number;

  constructor(stateDirectory: string, most = MOST_CONTEXTS) {
    this.#most = most;
    this.#file = path.join(stateDirectory, 'contexts');
    const entries = readEntries(this.#file, 2 * most * LINE);
    this.#lines = entries.length;
    this.#ids = new Map(entries.slice(-most));
  }

  /** Whether a context came with another request before: it is then not to be taken. */
  isOfAnother(text: string, id: string): boolean {
    const known = this.#ids.get(keyOf(text));
    return known !== undefined && known !== digest(id);
  }

  /** Remembers a context that this guest's key has opened. */
  remember(text: string, id: string): void {
    const [key, of] = [keyOf(text), digest(id)];
    if (this.#ids.has(key)) return;
    this.#ids.set(key, of);
    const [oldest] = this.#ids.keys();
    if (oldest !== undefined && this.#ids.size > this.#most) this.#ids.delete(oldest);
    try {
      this.#write(`${key} ${of}\n`);
    } catch {
      // See above.
    }
  }

  #write(line: string): void {
    if (this.#lines < 2 * this.#most) {
      write(this.#file, line, constants.O_APPEND);
      this.#lines++;
      return;
    }
    const lines = [...this.#ids].map(([key, id]) => `${key} ${id}\n`);
    write(`${this.#file}.new`, lines.join(''), constants.O_TRUNC);
    renameSync(`${this.#file}.new`, this.#file);
    this.#lines = lines.length;
  }
}

/** No link is followed: it would lead to a file of somebody else. */
function write(file: string, text: string, how: number): void {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
  const opened = openSync(file, O_WRONLY | O_CREAT | O_NOFOLLOW | how, 0o600);
  try {
    writeSync(opened, text);
  } finally {
    closeSync(opened);
  }
}

/** Anything else in the file is of no use. */
function readEntries(file: string, largest: number): [string, string][] {
  try {
    if (statSync(file).size > largest) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => /^[0-9a-f]{32} [0-9a-f]{32}$/.test(line))
      .map((line) => [line.slice(0, 32), line.slice(33)]);
  } catch {
    return []; // none yet
  }
}

function keyOf(text: string): string {
  // Four letters stand for three bytes, and what is no whole number of them is opened by no key.
  return digest(Buffer.from(text.slice(-2 * END_BYTES), 'base64').subarray(-END_BYTES));
}

function digest(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex').slice(0, 32);
}
