import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { beginRotation, endRotation, readOutputStarts } from '../../src/process/output-starts.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

async function outputOf(bytes: number): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  await writeFile(file, 'x'.repeat(bytes));
  return file;
}

it('are those of a file that was never rotated', async () => {
  expect(await readOutputStarts(await outputOf(10))).toMatchObject({ before: null, current: 0 });
});

it('say where each file begins after every rotation', async () => {
  const file = await outputOf(100);
  await beginRotation(file, 100, 30);
  await truncate(file);
  await endRotation(file);
  expect(await readOutputStarts(file)).toMatchObject({ before: 70, current: 100 });
  await writeFile(file, 'x'.repeat(50));
  await beginRotation(file, 50, 50);
  await truncate(file);
  await endRotation(file);
  expect(await readOutputStarts(file)).toMatchObject({ before: 100, current: 150 });
});

it('are known while a rotation is under way, and when an agent was killed in it', async () => {
  const file = await outputOf(100);
  await beginRotation(file, 100, 30);
  // FILE.1 may be the old one or the new one.
  expect(await readOutputStarts(file)).toEqual({ before: null, current: 0 });
  await endRotation(file);
  expect(await readOutputStarts(file)).toEqual({ before: null, current: 0 });
  await truncate(file);
  expect(await readOutputStarts(file)).toEqual({ before: 70, current: 100 });
  await endRotation(file); // of the next agent
  await writeFile(file, 'x'.repeat(500));
  expect(await readOutputStarts(file)).toMatchObject({ before: 70, current: 100 });
});

it('of a file that cannot be read are as if it was never rotated', async () => {
  const file = await outputOf(10);
  await writeFile(`${file}.starts`, '{"before":-1}');
  expect(await readOutputStarts(file)).toMatchObject({ before: null, current: 0 });
});
