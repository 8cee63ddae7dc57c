import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { ARCHIVE_MEMBER, MEMBER_DIRECTORY } from '../../src/backup/layout.ts';
import { record } from './records.ts';

/** A member of a tar; a text or bytes make it a file. */
export type Member = Partial<Header> & { name: string; body?: Uint8Array | string };

/** A tar of these members, in their order. */
export async function tarOf(...members: Member[]): Promise<Buffer> {
  const tar = pack();
  for (const { body, ...header } of members) {
    if (body === undefined) tar.entry(header);
    else tar.entry(header, Buffer.from(body));
  }
  tar.finalize();
  return buffer(tar);
}

/** The members of a backup by upstream's driver: the directory and the archive. */
export function upstreamMembers(archive: Uint8Array): Member[] {
  return [
    { name: MEMBER_DIRECTORY, type: 'directory' },
    { name: ARCHIVE_MEMBER, body: archive },
  ];
}

/** An object as upstream's driver makes it: gzip of gzip of tar. */
export async function upstreamObject(archive: Uint8Array): Promise<Buffer> {
  return twice(await tarOf(...upstreamMembers(archive)));
}

/** Gzip of gzip. */
export function twice(bytes: Uint8Array): Buffer {
  return gzipSync(gzipSync(bytes, { level: 1 }), { level: 1 });
}

/** An archive of so many keys, `key0` to …, each with a value of its own. */
export function archiveOf(keys: number): Buffer {
  return Buffer.concat(Array.from({ length: keys }, (_, n) => record(`key${n}`, `value of ${n}`)));
}

/** MD5 in hex: the checksum of a plain object. */
export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** The bytes in pieces of this size, as they come from a socket. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield Buffer.from(bytes.subarray(at, at + size));
  }
}
