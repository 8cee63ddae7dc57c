import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { lastLines } from '../../src/process/last-lines.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it.each([
  ['the last three lines', 'a\nb\nc\nd\n', 'b | c | d'],
  ['all when there are fewer', 'a\nb', 'a | b'],
  ['no empty lines', 'a\n\n  b \n\n\n', 'a | b'],
  ['nothing of an empty file', '', ''],
  ['nothing of blank lines', '\n \n', ''],
  ['the end of a very long line', `x\n${'y'.repeat(5_000)}\n`, 'y'.repeat(2_047)],
])('gives %s', async (_, content, lines) => {
  const file = path.join(await temporaryDirectory(), 'x.out');
  await writeFile(file, content);
  expect(await lastLines(file)).toBe(lines);
});

it('gives as many as asked for', async () => {
  const file = path.join(await temporaryDirectory(), 'x.out');
  await writeFile(file, 'a\nb\nc\n');
  expect(await lastLines(file, 1)).toBe('c');
});

it('never fails: it is for the message of another failure', async () => {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'x.out'));
  expect(await lastLines(path.join(directory, 'none.out'))).toBe('');
  expect(await lastLines(path.join(directory, 'x.out'))).toBe('');
});
