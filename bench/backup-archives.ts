import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Random } from '../src/base/backoff.ts';

/** What the values of an archive are like. */
export type Kind = 'incompressible' | 'compressible';

const VALUE_BYTES = 8 * 1024;
/** Values are cut from so many bytes: far more than gzip looks back, so that it finds no repetition. */
const POOL_BYTES = 16 * 1024 ** 2;
/** So many different words become 27 % of themselves with gzip -6. */
const WORDS = 640;

/**
 * Writes a .k2har (docs/contracts/archive.md, 1) of about so many bytes.
 *
 * @returns its length and its number of keys.
 */
export async function writeArchive(
  file: string,
  kind: Kind,
  bytes: number,
  random: Random,
): Promise<{ bytes: number; keys: number }> {
  const pool = kind === 'incompressible' ? randomFillSync(Buffer.alloc(POOL_BYTES)) : text(random);
  const out = await open(file, 'wx');
  try {
    let [written, keys] = [0, 0];
    while (written < bytes) {
      const records: Buffer[] = [];
      for (let count = 0; count < 128; count++, keys++) {
        const from = Math.floor(random() * (POOL_BYTES - VALUE_BYTES));
        records.push(...record(`key-${String(keys)}`, pool.subarray(from, from + VALUE_BYTES)));
      }
      const block = Buffer.concat(records);
      await out.writeFile(block);
      written += block.length;
    }
    return { bytes: written, keys };
  } finally {
    await out.close();
  }
}

/** Words in any order. */
function text(random: Random): Buffer {
  const letters = (): string => {
    const length = 3 + Math.floor(random() * 9);
    return Array.from({ length }, () => String.fromCodePoint(97 + Math.floor(random() * 26))).join(
      '',
    );
  };
  const words = Array.from({ length: WORDS }, letters);
  const pool = Buffer.alloc(POOL_BYTES, ' ');
  for (let at = 0; at < POOL_BYTES;) {
    at += pool.write(`${words[Math.floor(random() * WORDS)] ?? ''} `, at);
  }
  return pool;
}

/** A record that sets a key: 16 bytes of mark, 11 numbers, key and value. */
function record(key: string, value: Buffer): Buffer[] {
  const keyBytes = Buffer.from(`${key}\0`);
  const header = Buffer.alloc(104);
  header.write('\nK2H_SET_ALL');
  const valueAt = header.length + keyBytes.length;
  const end = valueAt + value.length;
  const numbers = [0, keyBytes.length, value.length, 0, 0, 0, 104, valueAt, end, end, 104];
  for (const [index, number] of numbers.entries()) {
    header.writeBigInt64LE(BigInt(number), 16 + 8 * index);
  }
  return [header, keyBytes, value];
}
