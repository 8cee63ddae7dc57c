const HEADER_BYTES = 104;

/**
 * The keys of a .k2har with their values, both as text without the zero at the end
 * (docs/contracts/archive.md, 1). Values above 10 MiB, which are in several records, are not put
 * together.
 */
export function keysIn(archive: Buffer): Map<string, string> {
  const keys = new Map<string, string>();
  for (let at = 0; at < archive.length;) {
    const number = (offset: number): number => Number(archive.readBigUInt64LE(at + offset));
    const [keyBytes, valueBytes, subkeys, attributes, extra] = [24, 32, 40, 48, 56].map(number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const keyAt = at + HEADER_BYTES;
    const valueAt = keyAt + keyBytes;
    const end = valueAt + valueBytes;
    keys.set(textOf(archive.subarray(keyAt, valueAt)), textOf(archive.subarray(valueAt, end)));
    at = end + subkeys + attributes + extra;
  }
  return keys;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length);
}
