import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BufferBin } from '../../../src/backup/buffer-bin.ts';
import { HAND_OVER_BYTES, inBlocks } from '../../../src/backup/restore/in-blocks.ts';
import { inPieces } from '../objects.ts';

/** The blocks, copied: their memory is used again. */
async function blocksOf(source: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const blocks: Buffer[] = [];
  for await (const block of inBlocks(source, new BufferBin())) blocks.push(Buffer.from(block));
  return blocks;
}

describe('a download', () => {
  const sizes = (blocks: Buffer[]): number[] => blocks.map(({ length }) => length);

  it.each([
    ['smaller than a block', 1000, 300, [1000]],
    ['of exactly a block', HAND_OVER_BYTES, 65_536, [HAND_OVER_BYTES]],
    [
      'of some blocks and a rest',
      3 * HAND_OVER_BYTES + 5,
      65_535,
      [...Array<number>(3).fill(HAND_OVER_BYTES), 5],
    ],
    [
      'in pieces larger than a block',
      2 * HAND_OVER_BYTES + 7,
      2 * HAND_OVER_BYTES,
      [HAND_OVER_BYTES, HAND_OVER_BYTES, 7],
    ],
    ['of nothing', 0, 1, []],
  ])('%s comes whole, in full blocks but for the last', async (_what, bytes, piece, lengths) => {
    const original = randomBytes(bytes);
    const blocks = await blocksOf(inPieces(original, piece));
    expect(sizes(blocks)).toEqual(lengths);
    expect(Buffer.concat(blocks).equals(original)).toBe(true);
  });

  it('that breaks off passes on its error after the blocks that were whole', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield* inPieces(Buffer.alloc(HAND_OVER_BYTES, 'x'), 65_536);
      throw new Error('the connection is gone');
    }
    const taken: number[] = [];
    const take = async (): Promise<void> => {
      for await (const block of inBlocks(broken(), new BufferBin())) taken.push(block.length);
    };
    await expect(take()).rejects.toThrow('the connection is gone');
    expect(taken).toEqual([HAND_OVER_BYTES]);
  });

  it('ends when nobody takes more', async () => {
    let isOver = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield* inPieces(Buffer.alloc(HAND_OVER_BYTES), 65_536);
      } finally {
        isOver = true;
      }
    }
    for await (const block of inBlocks(source(), new BufferBin())) {
      expect(block).toHaveLength(HAND_OVER_BYTES);
      break;
    }
    await expect.poll(() => isOver).toBe(true);
  });
});

it('the memory of the pieces is freed as they are taken', async () => {
  const pieces = Array.from({ length: 4 }, () => Buffer.alloc(64 * 1024, 'x'));
  async function* source(): AsyncGenerator<Buffer> {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  const [block] = await blocksOf(source());
  expect(block?.equals(Buffer.alloc(256 * 1024, 'x'))).toBe(true);
  expect(pieces.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
});
