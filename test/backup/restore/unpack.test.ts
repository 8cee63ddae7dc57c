import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpack } from '../../../src/backup/restore/unpack.ts';
import { projectRoot } from '../../helpers/project-root.ts';
import { inPieces, twice } from '../objects.ts';

const TAR = Buffer.from('a tar, as far as this is concerned'.repeat(1000));
const PLAIN = { encrypted: false, decryptionKey: null };
const unpacked = (
  bytes: Uint8Array,
  packing: Parameters<typeof unpack>[1] = PLAIN,
  piece = 1000,
): Promise<Buffer> => buffer(unpack(inPieces(bytes, piece), packing));

/** As `openssl enc -aes-256-cbc -md sha512 -pbkdf2 -iter 10000 -salt`. */
function encrypt(bytes: Uint8Array, key: string): Buffer {
  const salt = Buffer.from('saltsalt');
  const secret = pbkdf2Sync(key, salt, 10_000, 48, 'sha512');
  const cipher = createCipheriv('aes-256-cbc', secret.subarray(0, 32), secret.subarray(32));
  return Buffer.concat([Buffer.from('Salted__'), salt, cipher.update(bytes), cipher.final()]);
}

describe('unpack', () => {
  it.each([1, 7, 100_000])('unpacks gzip of gzip, in pieces of %i', async (piece) => {
    expect(await unpacked(twice(TAR), PLAIN, piece)).toEqual(TAR);
  });

  it('unpacks what is gzip once', async () => {
    expect(await unpacked(gzipSync(TAR))).toEqual(TAR);
  });

  it('unpacks independent members, one after the other', async () => {
    const members = [TAR.subarray(0, 500), TAR.subarray(500)].map((part) => twice(part));
    expect(await unpacked(Buffer.concat(members), PLAIN, 64)).toEqual(TAR);
  });

  const flipped = twice(TAR);
  flipped[flipped.length - 30] = (flipped.at(-30) ?? 0) ^ 1;
  it.each([
    ['not gzip', TAR, 'it is not gzip'],
    ['nothing', Buffer.alloc(0), 'it is not gzip'],
    ['a gzip that ends early', twice(TAR).subarray(0, -12), 'its gzip is damaged: unexpected end'],
    ['a flipped bit', flipped, 'its gzip is damaged: '],
    ['a damaged inner gzip', gzipSync(gzipSync(TAR).subarray(0, -9)), 'its gzip is damaged: '],
  ])('refuses %s', async (_, bytes, why) => {
    await expect(unpacked(bytes)).rejects.toThrow(why);
  });

  it('passes on what the source throws, and ends it', async () => {
    let isOver = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* inPieces(twice(TAR).subarray(0, 40), 10);
        throw new Error('the connection is gone');
      } finally {
        isOver = true;
      }
    }
    await expect(buffer(unpack(source(), PLAIN))).rejects.toThrow('the connection is gone');
    expect(isOver).toBe(true);
  });

  it('ends the source when nobody wants more', async () => {
    let isOver = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield* inPieces(twice(TAR), 50);
      } finally {
        isOver = true;
      }
    }
    for await (const piece of unpack(source(), PLAIN)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => isOver).toBe(true);
  });
});

it('reads no more than 3 MiB ahead of whoever takes the tar', async () => {
  const noise = randomBytes(16 * 1024 ** 2);
  let read = 0;
  async function* source(): AsyncGenerator<Buffer> {
    for await (const piece of inPieces(
      gzipSync(gzipSync(noise, { level: 0 }), { level: 0 }),
      65_536,
    )) {
      read += piece.length;
      yield piece;
    }
  }
  let taken = 0;
  const ahead: number[] = [];
  for await (const piece of unpack(source(), PLAIN)) {
    // Until all that can be read ahead is.
    let before = -1;
    while (before !== read) {
      before = read;
      await sleep(2);
    }
    taken += piece.length;
    ahead.push(read - taken);
  }
  expect(taken).toBe(noise.length);
  expect(Math.max(...ahead)).toBeLessThan(3 * 1024 ** 2);
});

describe('an encrypted object', () => {
  const key = { encrypted: true, decryptionKey: 'default_aes_cbc_key' };

  it('is one that openssl made', async () => {
    const fixture = (name: string): Promise<Buffer> =>
      readFile(path.join(projectRoot, 'test/fixtures/swift', name));
    const tar = gunzipSync(await fixture('plain.tar.gz'));
    expect(await unpacked(await fixture('sample.gz.enc'), key, 5)).toEqual(tar);
  });

  it('is gzip of gzip inside', async () => {
    expect(await unpacked(encrypt(twice(TAR), 'default_aes_cbc_key'), key, 33)).toEqual(TAR);
  });

  const made = encrypt(twice(TAR), 'default_aes_cbc_key');
  it.each([
    ['without a key', made, { ...key, decryptionKey: null }, 'Decryption key not configured'],
    ['with another key', made, { ...key, decryptionKey: 'another' }, 'backup_aes_cbc_key'],
    ['that is cut off', made.subarray(0, -3), key, 'cannot be decrypted with backup_aes_cbc_key'],
    ['that is not', twice(TAR), key, 'not encrypted as Trove does'],
    ['that is short', Buffer.from('Salt'), key, 'not encrypted as Trove does'],
  ])('is refused %s', async (_, bytes, packing, why) => {
    await expect(unpacked(bytes, packing)).rejects.toThrow(why);
  });
});
