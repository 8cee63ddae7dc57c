import { describe, expect, it } from 'vitest';
import { BufferBin } from '../../../src/backup/buffer-bin.ts';
import { packedMembers, type Packing } from '../../../src/backup/make/members.ts';
import { Packer } from '../../../src/backup/make/packer.ts';
import { deferred } from '../../helpers/deferred.ts';
import { until } from '../../helpers/until.ts';
import { imageOf, memberOf } from './images.ts';

const TAR = Buffer.from('0123456789abcdefghij-');

function packing(change: Partial<Packing> = {}): Packing {
  const bin = new BufferBin();
  const packer = new Packer(1, bin);
  return { image: imageOf(TAR), packer, bin, memberBytes: 4, lanes: 2, ...change };
}

async function textsOf(members: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const member of members) texts.push(memberOf(member));
  return texts;
}

describe('the members of a tar', () => {
  it.each([1, 2, 8])('come in order when %i are made at the same time', async (lanes) => {
    const whole = ['0123', '4567', '89ab', 'cdef', 'ghij', '-'];
    expect(await textsOf(packedMembers(packing({ lanes }), 0))).toEqual(whole);
    expect(await textsOf(packedMembers(packing({ lanes }), 12))).toEqual(whole.slice(3));
    expect(await textsOf(packedMembers(packing({ lanes }), TAR.length))).toEqual([]);
  });

  it('are made no further ahead than there are lanes', async () => {
    const asked: number[] = [];
    const image = {
      bytes: TAR.length,
      read: (target: Buffer, at: number) => {
        asked.push(at);
        return imageOf(TAR).read(target, at);
      },
    };
    const members = packedMembers(packing({ image }), 0);
    await members.next();
    expect(asked).toEqual([0, 4, 8]); // the one that was taken, and two ahead
    await members.return();
  });

  it('pass on what cannot be read, after those before it', async () => {
    const image = {
      bytes: TAR.length,
      read: (target: Buffer, at: number) =>
        at === 8 ? Promise.reject(new Error('no disk')) : imageOf(TAR).read(target, at),
    };
    const members = packedMembers(packing({ image }), 0);
    const taken: string[] = [];
    const take = async (): Promise<void> => {
      for await (const member of members) taken.push(memberOf(member));
    };
    await expect(take()).rejects.toThrow('no disk');
    expect(taken).toEqual(['0123', '4567']);
  });

  it('are over only when nothing reads the tar any more', async () => {
    const gate = deferred();
    let waits = false;
    const image = {
      bytes: TAR.length,
      read: async (target: Buffer, at: number) => {
        waits = at > 0;
        if (waits) await gate.promise;
        await imageOf(TAR).read(target, at);
      },
    };
    const members = packedMembers(packing({ image }), 0);
    await members.next();
    await until('one is made ahead', () => waits, { everyMs: 1 });
    let isOver = false;
    const ending = members.return().then(() => (isOver = true));
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    gate.resolve();
    expect(await ending).toBe(true);
  });
});
