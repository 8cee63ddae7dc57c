import { gunzipSync } from 'node:zlib';
import type { TarImage } from '../../../src/backup/make/tar-image.ts';

/** A tar that is these bytes. */
export function imageOf(bytes: Buffer): Pick<TarImage, 'bytes' | 'read'> {
  return {
    bytes: bytes.length,
    read: (target, at) => {
      bytes.copy(target, 0, at);
      return Promise.resolve();
    },
  };
}

/** The part of the tar that a member holds, as text. */
export function memberOf(member: Uint8Array): string {
  return gunzipSync(gunzipSync(member)).toString();
}
