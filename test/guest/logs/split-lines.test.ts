import { expect, it } from 'vitest';
import { splitLines, type SplitLine } from '../../../src/guest/logs/split-lines.ts';

async function* blocksOf(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function split(most: number, ...texts: string[]): Promise<[string | null, number][]> {
  const all: SplitLine[] = [];
  for await (const line of splitLines(blocksOf(...texts), most)) all.push(line);
  return all.map(({ bytes, length }) => [bytes?.toString() ?? null, length]);
}

it('puts lines together from blocks that end anywhere', async () => {
  expect(await split(100, 'a', 'b\nc', '\n\nd', 'e\n')).toEqual([
    ['ab\n', 3],
    ['c\n', 2],
    ['\n', 1],
    ['de\n', 3],
  ]);
});

it('keeps back what nobody has ended', async () => {
  expect(await split(100, 'a\nhalf a sec')).toEqual([['a\n', 2]]);
});

it.each([
  ['in one block', ['short\n123456789\nnext\n']],
  ['in many', ['short\n123', '456', '789\nnext\n']],
])('counts a line that is too long, and does not keep it: %s', async (_, blocks) => {
  expect(await split(6, ...blocks)).toEqual([
    ['short\n', 6],
    [null, 10],
    ['next\n', 5],
  ]);
});

it('is not misled by a block that is used again', async () => {
  const shared = Buffer.from('ab');
  async function* reusing(): AsyncGenerator<Buffer> {
    yield shared;
    shared.write('c\n');
    yield await Promise.resolve(shared);
  }
  const all: string[] = [];
  for await (const { bytes } of splitLines(reusing(), 10)) all.push(String(bytes));
  expect(all).toEqual(['abc\n']);
});
