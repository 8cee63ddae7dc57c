import type { Entry } from './protocol.ts';

/**
 * A record of a k2h file of the stand-ins, which is a record of an archive
 * (docs/contracts/archive.md, 1): a mark, eleven numbers, key and value with a closing NUL, and
 * when it was written as the attribute `mtime`, as k2hdkc keeps it.
 */
const MARK = Buffer.from('\nK2H_SET_ALL\0\0\0\0');
export const HEAD_LENGTH = 104;

/** The record of an entry that has a value. */
export function encodeRecord([key, value, written]: Entry): Buffer {
  const parts = [withNul(key), withNul(value ?? ''), Buffer.alloc(0), modified(BigInt(written))];
  const lengths = [...parts.map((part) => part.length), 0];
  const head = Buffer.alloc(HEAD_LENGTH);
  MARK.copy(head);
  let offset = HEAD_LENGTH;
  lengths.forEach((length, index) => {
    head.writeBigInt64LE(BigInt(length), 24 + 8 * index);
    head.writeBigInt64LE(BigInt(index === 4 ? HEAD_LENGTH : offset), 64 + 8 * index);
    offset += length;
  });
  return Buffer.concat([head, ...parts]);
}

/** Lengths of key, value, subkeys, attributes and extra data, or `undefined` for no record. */
export function recordLengths(head: Buffer): number[] | undefined {
  if (head.length < HEAD_LENGTH || !head.subarray(0, MARK.length).equals(MARK)) return undefined;
  return [24, 32, 40, 48, 56].map((offset) => Number(head.readBigInt64LE(offset)));
}

/** The entry of a record, from what follows its head. */
export function decodeBody(lengths: readonly number[], body: Buffer): Entry {
  const [keyLength = 1, valueLength = 0, subkeys = 0, attributes = 0] = lengths;
  const key = body.subarray(0, keyLength - 1);
  const value = body.subarray(keyLength, keyLength + Math.max(0, valueLength - 1));
  const start = keyLength + valueLength + subkeys;
  const written = modifiedOf(body.subarray(start, start + attributes));
  return [key.toString('hex'), value.toString('hex'), String(written)];
}

/** Attributes: how many, then for each the lengths of its name and value, name and value. */
function modified(written: bigint): Buffer {
  const attributes = Buffer.alloc(8 + 16 + 6 + 16);
  attributes.writeBigInt64LE(1n, 0);
  attributes.writeBigInt64LE(6n, 8);
  attributes.writeBigInt64LE(16n, 16);
  attributes.write('mtime\0', 24, 'latin1');
  attributes.writeBigInt64LE(written / 1_000_000_000n, 30);
  attributes.writeBigInt64LE(written % 1_000_000_000n, 38);
  return attributes;
}

/** When a record was written; 0 when it does not say. */
function modifiedOf(attributes: Buffer): bigint {
  const name = attributes.indexOf('mtime\0', 0, 'latin1');
  if (name < 0 || attributes.length < name + 22) return 0n;
  const seconds = attributes.readBigInt64LE(name + 6);
  return seconds * 1_000_000_000n + attributes.readBigInt64LE(name + 14);
}

function withNul(hex: string): Buffer {
  return Buffer.from(`${hex}00`, 'hex');
}
