import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { verified, type ExpectedPart } from '../../../src/backup/restore/verified.ts';
import { inPieces, md5 } from '../objects.ts';

const BODY = Buffer.from('0123456789'.repeat(100));
const part = (name: string, from: number, to?: number): ExpectedPart => {
  const bytes = BODY.subarray(from, to);
  return { name, bytes: bytes.length, md5: md5(bytes) };
};
const read = (body: Buffer, parts: ExpectedPart[], piece = 64): Promise<Buffer> =>
  buffer(verified(inPieces(body, piece), parts));

it.each([1, 64, 333, 2000])(
  'passes on a body whose MD5 is right, in pieces of %i',
  async (piece) => {
    expect(await read(BODY, [part('o', 0)], piece)).toEqual(BODY);
    const segments = [
      part('s0', 0, 300),
      part('s1', 300, 301),
      part('s2', 301, 301),
      part('s3', 301),
    ];
    expect(await read(BODY, segments, piece)).toEqual(BODY);
  },
);

it('finds the segment with a flipped bit', async () => {
  const body = Buffer.from(BODY);
  body[400] = (body[400] ?? 0) ^ 4;
  const segments = [part('s0', 0, 300), part('s1', 300, 600), part('s2', 600)];
  await expect(read(body, segments)).rejects.toThrow(
    /^the bytes of s1 have the MD5 [0-9a-f]{32}, not [0-9a-f]{32}: they are damaged$/,
  );
});

it('finds a body that is too short or too long', async () => {
  await expect(read(BODY.subarray(1), [part('o', 0)])).rejects.toThrow('ends before the end of o');
  const long = Buffer.concat([BODY, Buffer.from('x')]);
  await expect(read(long, [part('o', 0)])).rejects.toThrow('longer than the object');
});
