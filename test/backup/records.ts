/**
 * One record of a .k2har (docs/contracts/archive.md, 1): sets a key or, as `ar put` does with
 * values above 10 MiB, overwrites part of its value.
 */
export function record(
  key: string,
  value: string | Uint8Array,
  { overwrites = false }: { overwrites?: boolean } = {},
): Buffer {
  const keyBytes = Buffer.from(`${key}\0`);
  const valueBytes = typeof value === 'string' ? Buffer.from(value && `${value}\0`) : value;
  const exdata = Buffer.alloc(overwrites ? 8 : 0);
  const header = Buffer.alloc(104);
  header.write(overwrites ? '\nK2H_OW_VAL' : '\nK2H_SET_ALL');
  const type = overwrites ? 4 : 0;
  const valueAt = 104 + keyBytes.length;
  const end = valueAt + valueBytes.length;
  const lengths = [keyBytes.length, valueBytes.length, 0, 0, exdata.length];
  const positions = [104, valueAt, end, end, overwrites ? end : 104];
  for (const [index, number] of [type, ...lengths, ...positions].entries()) {
    header.writeBigInt64LE(BigInt(number), 16 + 8 * index);
  }
  return Buffer.concat([header, keyBytes, valueBytes, exdata]);
}
