import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { spaceShortages } from '../../src/host/free-space.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const HUGE = 2 ** 42;

it('adds up what is planned on one file system', async () => {
  const directory = await temporaryDirectory();
  const files = ['a', 'b/c/d'].map((name) => ({ file: path.join(directory, name), bytes: HUGE }));
  const [shortage, ...more] = await spaceShortages(files);
  expect(shortage).toMatchObject({ directory, needed: 2 * HUGE });
  expect(shortage?.free).toBeGreaterThan(0);
  expect(more).toEqual([]);
});

it('counts nothing for what a file has already', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'a');
  await writeFile(file, '');
  await truncate(file, HUGE);
  expect(await spaceShortages([{ file, bytes: HUGE + 1 }])).toEqual([]);
});
