import { createGzip } from 'node:zlib';
import type { BufferBin } from '../buffer-bin.ts';

/** Looked at in several places of a member to see whether it compresses at all. */
const SAMPLES = 4;
const SAMPLE_BYTES = 4 * 1024;
/** What does not become smaller than this share of itself is stored. */
const WORTHWHILE = 0.95;

/**
 * Packs parts of the tar so that each result is a whole gzip file of a whole gzip file. Such
 * members one after the other are what upstream's driver reads with `gzip -dc | tar xz`
 * (docs/contracts/swift.md, 4): gunzip takes concatenated members for one. The outer gzip only
 * stores, and so does the inner one where nothing can be won.
 *
 * The same bytes give the same member. The work is done in libuv's threads.
 */
export class Packer {
  readonly #level: number;
  readonly #bin: BufferBin;

  /** @param level of zlib: 0 stores, 1 is fast, 9 is small */
  constructor(level: number, bin: BufferBin) {
    this.#level = level;
    this.#bin = bin;
  }

  /** Packs one member; its memory is the caller's to free. */
  async pack(bytes: Uint8Array): Promise<Buffer> {
    const inner = await gzip(bytes, (await this.#isCompressible(bytes)) ? this.#level : 0);
    const outer = await gzip(inner, 0);
    this.#bin.free(inner);
    return outer;
  }

  async #isCompressible(bytes: Uint8Array): Promise<boolean> {
    const step = Math.floor(bytes.length / SAMPLES);
    if (step < SAMPLE_BYTES) return true;
    const samples = Array.from({ length: SAMPLES }, (_, n) =>
      bytes.subarray(n * step, n * step + SAMPLE_BYTES),
    );
    const packed = await gzip(Buffer.concat(samples), 1);
    return packed.length < WORTHWHILE * SAMPLES * SAMPLE_BYTES;
  }
}

/** No member of `bytes` of the tar becomes longer than this. */
export function packedAtMost(bytes: number): number {
  return roomFor(roomFor(bytes));
}

/** Enough for a gzip that compresses nothing, so that zlib is called once and allocates once. */
function roomFor(bytes: number): number {
  return bytes + 5 * Math.ceil(bytes / 16_000) + 64;
}

/** Like zlib.gzip, which would copy the header and the rest into a second buffer of that size. */
async function gzip(bytes: Uint8Array, level: number): Promise<Buffer> {
  const stream = createGzip({ level, chunkSize: roomFor(bytes.length) });
  stream.end(bytes);
  const pieces: Buffer[] = [];
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
  const [first] = pieces;
  const isOne = first !== undefined && pieces.every(({ buffer }) => buffer === first.buffer);
  if (!isOne) return Buffer.concat(pieces);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.from(first.buffer, first.byteOffset, length);
}
