import { createHash } from 'node:crypto';

/** The MD5 of bytes, in hex: what Swift and Trove compare contents by. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
