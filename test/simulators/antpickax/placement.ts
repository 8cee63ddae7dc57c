/**
 * Where keys are: on the server whose number is the key's hash modulo the number of servers, and on
 * the next ones in the list as replicas (docs/contracts/ring.md, 1). The hash is FNV-1a of 64 bits
 * over the key and its closing NUL, as in k2hash, so that the same keys are on the same servers as
 * with the real programs.
 */

/** Hashes `start` and the `width - 1` next ones, modulo `count`. */
export interface Range {
  start: number;
  count: number;
  width: number;
}

const FNV_BASIS = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** Hash of a key, given without its closing NUL. */
export function keyHash(key: Buffer): bigint {
  let hash = FNV_BASIS;
  for (const byte of key) hash = step(hash, byte);
  return step(hash, 0);
}

function step(hash: bigint, byte: number): bigint {
  return BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
}

/** The numbers of the servers that hold a hash, of `count`, the first one first. */
export function holders(hash: bigint, count: number, replicas: number): number[] {
  if (count === 0) return [];
  const first = Number(hash % BigInt(count));
  const copies = Math.min(replicas + 1, count);
  return Array.from({ length: copies }, (_, index) => (first + index) % count);
}

/**
 * What a server asks for in a merge: the hashes whose holders it will be among. One that leaves
 * has no number any more but all bits set, and asks for what that is modulo the count.
 */
export function rangeOf(number: number | undefined, count: number, replicas: number): Range {
  const width = Math.min(replicas + 1, count);
  const last = number ?? Number(BigInt.asUintN(64, -1n) % BigInt(count));
  return { start: (last - width + 1 + count) % count, count, width };
}

/** Whether a hash is in a range. */
export function isIn({ start, count, width }: Range, hash: bigint): boolean {
  return (Number(hash % BigInt(count)) - start + count) % count < width;
}
