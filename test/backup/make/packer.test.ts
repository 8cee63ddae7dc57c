import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { BufferBin } from '../../../src/backup/buffer-bin.ts';
import { packedAtMost, Packer } from '../../../src/backup/make/packer.ts';

const packer = (level: number): Packer => new Packer(level, new BufferBin());
const words = (bytes: number): Buffer => Buffer.alloc(bytes, 'words that come again ');
const unpacked = (member: Buffer): Buffer => gunzipSync(gunzipSync(member));

it.each([
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['less than its samples', words(5_000)],
  ['words', words(100_000)],
  ['noise', randomBytes(100_000)],
])('a member of %s is gzip of gzip, and not longer than foreseen', async (_what, bytes) => {
  for (const level of [0, 1, 9]) {
    const member = await packer(level).pack(bytes);
    expect(unpacked(member).equals(bytes)).toBe(true);
    expect(member.length).toBeLessThanOrEqual(packedAtMost(bytes.length));
  }
});

it('members one after the other are one gzip, as upstream reads them', async () => {
  const [first, second] = [words(20_000), randomBytes(20_000)];
  const members = Buffer.concat([await packer(1).pack(first), await packer(1).pack(second)]);
  expect(unpacked(members).equals(Buffer.concat([first, second]))).toBe(true);
});

it('the same bytes give the same member', async () => {
  const bytes = Buffer.concat([words(50_000), randomBytes(10_000)]);
  const [one, other] = [await packer(1).pack(bytes), await packer(1).pack(bytes)];
  expect(one.equals(other)).toBe(true);
});

it('what compresses is compressed, unless level 0 stores all', async () => {
  const bytes = words(100_000);
  expect((await packer(1).pack(bytes)).length).toBeLessThan(bytes.length / 10);
  expect((await packer(0).pack(bytes)).length).toBeGreaterThan(bytes.length);
});

it('what does not compress in any of the samples is stored', async () => {
  const bytes = randomBytes(100_000);
  expect((await packer(9).pack(bytes)).equals(await packer(0).pack(bytes))).toBe(true);
  // One sample of four that does is enough.
  words(25_000).copy(bytes, 50_000);
  expect((await packer(9).pack(bytes)).length).toBeLessThan(90_000);
});
