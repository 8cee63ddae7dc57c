import { describe, expect, it } from 'vitest';
import { BufferBin } from '../../../src/backup/buffer-bin.ts';
import type { Packing } from '../../../src/backup/make/members.ts';
import { Packer } from '../../../src/backup/make/packer.ts';
import { SegmentBody } from '../../../src/backup/make/segment-body.ts';
import { md5 } from '../objects.ts';
import { imageOf, memberOf } from './images.ts';

const TAR = Buffer.from('0123456789abcdefghij-');

function packing(): Packing {
  const bin = new BufferBin();
  const packer = new Packer(1, bin);
  return { image: imageOf(TAR), packer, bin, memberBytes: 4, lanes: 2 };
}

/** The segment from there on, and all of its bytes. */
async function segment(from: number, limit: number) {
  const body = new SegmentBody(packing(), from, limit);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return { body, sent: Buffer.concat(pieces) };
}

describe('a segment', () => {
  it('is whole members, as many as fit', async () => {
    const { length } = (await segment(0, 1)).sent;
    const { body, sent } = await segment(0, 3 * length);
    expect(memberOf(sent)).toBe('0123456789ab');
    expect(body).toMatchObject({ bytes: sent.length, next: 12 });
  });

  it('takes one member that is longer than the limit, or there would be none', async () => {
    const { body, sent } = await segment(4, 1);
    expect(memberOf(sent)).toBe('4567');
    expect(body.next).toBe(8);
  });

  it('ends with the tar', async () => {
    const { body, sent } = await segment(16, Infinity);
    expect(memberOf(sent)).toBe('ghij-');
    expect(body.next).toBe(TAR.length);
  });

  it('knows the MD5 of what was sent, which is the same every time', async () => {
    const [one, other] = [await segment(4, Infinity), await segment(4, Infinity)];
    expect(one.sent.equals(other.sent)).toBe(true);
    expect(one.body.md5()).toBe(md5(one.sent));
  });
});

it('segments one after the other are the whole tar', async () => {
  const sent: Buffer[] = [];
  for (let from = 0; from < TAR.length;) {
    const one = await segment(from, 150);
    expect(one.sent.length).toBeLessThanOrEqual(150);
    sent.push(one.sent);
    from = one.body.next;
  }
  expect(sent.length).toBeGreaterThan(1);
  expect(memberOf(Buffer.concat(sent))).toBe(TAR.toString());
});
