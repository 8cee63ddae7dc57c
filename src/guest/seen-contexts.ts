import { createHash } from 'node:crypto';
import path from 'node:path';
import { LineFile } from '../host/line-file.ts';
import type { ContextMemory } from '../trove/guest-serializer.ts';

/** So many contexts are remembered: Trove asks some hundred times a day. */
const MOST_CONTEXTS = 4_096;
/** Bytes of a line: two digests of 32 hex digits. */
const LINE = 66;
/** Bytes of the end of a ciphertext by which it is known. */
const END_BYTES = 32;

/**
 * Which encrypted contexts came with which request. Trove encrypts the context of each request with random
 * bytes of its own, so that one that comes a second time under another id is a copy, made without a key
 * (docs/contracts/trove.md, 2.5).
 *
 * A context is known by its last two AES blocks: a copy whose front was changed, so that it still
 * decrypts to something, has them too.
 *
 * Kept in `contexts` of the state directory, a line for each: see LineFile. Where it cannot be written a
 * request is taken all the same: a full disk must not make this VM deaf.
 */
export class SeenContexts implements ContextMemory {
  readonly #file: LineFile;
  readonly #most: number;
  /** The id of the request by context, both as digests; the oldest first. */
  readonly #ids: Map<string, string>;

  constructor(stateDirectory: string, most = MOST_CONTEXTS) {
    this.#most = most;
    this.#file = new LineFile(path.join(stateDirectory, 'contexts'), 2 * most * LINE);
    const entries = this.#file.read().filter((line) => /^[0-9a-f]{32} [0-9a-f]{32}$/.test(line));
    this.#ids = new Map(entries.slice(-most).map((line) => [line.slice(0, 32), line.slice(33)]));
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
    if (this.#file.isFull(LINE)) {
      this.#file.replace([...this.#ids].map((entry) => entry.join(' ')));
    } else this.#file.append(`${key} ${of}`);
  }
}

function keyOf(text: string): string {
  // Four letters stand for three bytes, and what is no whole number of them is opened by no key.
  return digest(Buffer.from(text.slice(-2 * END_BYTES), 'base64').subarray(-END_BYTES));
}

function digest(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex').slice(0, 32);
}
