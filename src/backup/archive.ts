import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { AgentError } from '../base/errors.ts';

/** What an archive holds, found out by walking it. */
export interface ArchiveFacts {
  /** Records of any kind. */
  records: number;
  /** Records that set a key; a value above 10 MiB follows its key in records of its own. */
  keys: number;
  bytes: number;
  /** Of all bytes, in hex. */
  sha256: string;
}

/** An archive is not one, is cut off or damaged; trying again does not make it whole. */
export class ArchiveError extends AgentError {}

/** Before the data of each record: 16 bytes of mark, then 11 little-endian 64-bit numbers. */
const HEADER_BYTES = 104;
const MARK_BYTES = 16;
/** The records that `ar put` writes, by their type: of k2hash's seven kinds it uses these two. */
const MARKS: ReadonlyMap<number, Buffer> = new Map([
  [0, mark('SET_ALL')],
  [4, mark('OW_VAL')],
]);
const READ_BYTES = 256 * 1024;

/**
 * Walks a .k2har in whatever pieces it comes, in constant memory. The format
 * (docs/contracts/archive.md, 1) has no file header, count or checksum: an archive is whole when
 * its records end exactly where it ends. k2hlinetool loads a cut one without a word.
 */
export class ArchiveWalker {
  readonly #name: string;
  readonly #hash = createHash('sha256');
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the present record that are still to come. */
  #left = 0;
  #bytes = 0;
  #records = 0;
  #keys = 0;
  #recordAt = 0;

  /** @param name of the archive, for errors */
  constructor(name = 'the archive') {
    this.#name = name;
  }

  /** Takes the next piece. Throws ArchiveError when no record begins where one must. */
  write(piece: Uint8Array): void {
    this.#hash.update(piece);
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, piece.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      if (this.#headerBytes === 0) this.#recordAt = this.#bytes + at;
      const part = piece.subarray(at, at + HEADER_BYTES - this.#headerBytes);
      this.#header.set(part, this.#headerBytes);
      this.#headerBytes += part.length;
      at += part.length;
      if (this.#headerBytes === HEADER_BYTES) this.#begin();
    }
    this.#bytes += piece.length;
  }

  /** To be called after the last piece. Throws ArchiveError when a record is not complete. */
  end(): ArchiveFacts {
    if (this.#headerBytes > 0) this.#fail('it is cut off in its header');
    if (this.#left > 0) this.#fail(`it is cut off, ${this.#left} bytes are missing`);
    const { records, keys, bytes } = {
      records: this.#records,
      keys: this.#keys,
      bytes: this.#bytes,
    };
    return { records, keys, bytes, sha256: this.#hash.digest('hex') };
  }

  #begin(): void {
    const header = this.#header;
    const [type, ...lengths] = [16, 24, 32, 40, 48, 56].map((at) => this.#number(at));
    const known = MARKS.get(type ?? -1);
    if (!known?.equals(header.subarray(0, MARK_BYTES))) this.#fail('no record begins there');
    if (lengths[0] === 0) this.#fail('it has no key');
    // k2hlinetool loads by position: one that points elsewhere would load other bytes.
    let end = HEADER_BYTES;
    for (const [index, length] of lengths.entries()) {
      if (length > 0 && this.#number(64 + 8 * index) !== end) this.#fail('its parts do not fit');
      end += length;
    }
    if (!Number.isSafeInteger(end)) this.#fail('it has an impossible length');
    this.#left = end - HEADER_BYTES;
    this.#headerBytes = 0;
    this.#records += 1;
    if (type === 0) this.#keys += 1;
  }

  #number(at: number): number {
    return this.#header.readUInt32LE(at) + this.#header.readUInt32LE(at + 4) * 2 ** 32;
  }

  #fail(what: string): never {
    // A complete header counts as a record already when its data is cut off.
    const number = this.#left > 0 ? this.#records : this.#records + 1;
    throw new ArchiveError(
      `${this.#name} is damaged: record ${number} at byte ${this.#recordAt}: ${what}`,
    );
  }
}

/** Walks an archive that comes as a stream. Throws ArchiveError, or what the stream throws. */
export async function walkArchive(
  source: AsyncIterable<Uint8Array>,
  name?: string,
): Promise<ArchiveFacts> {
  const walker = new ArchiveWalker(name);
  for await (const piece of source) walker.write(piece);
  return walker.end();
}

/** Walks an archive on disk. Throws ArchiveError, or the system's error when it cannot be read. */
export function walkArchiveFile(file: string): Promise<ArchiveFacts> {
  return walkArchive(readFile(file), file);
}

/** A stream would take new memory at every read, of which 10 MiB pile up before V8 frees them. */
async function* readFile(file: string): AsyncGenerator<Uint8Array, void> {
  const handle = await open(file);
  const space = Buffer.allocUnsafeSlow(READ_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(space, 0, READ_BYTES, null);
      if (bytesRead === 0) return;
      yield space.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function mark(command: string): Buffer {
  const bytes = Buffer.alloc(MARK_BYTES);
  bytes.write(`\nK2H_${command}`);
  return bytes;
}
