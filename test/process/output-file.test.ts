import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { OutputFile } from '../../src/process/output-file.ts';
import { readOutputStarts } from '../../src/process/output-starts.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const LIMIT = 1024 * 1024;

it('moves a large file aside under a program that goes on writing', async () => {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  const output = new OutputFile(file);
  const handle = await output.open();
  await handle.write(`${'x'.repeat(LIMIT)}\nlast\n`);
  expect(await output.lastLines()).toMatch(/last$/);
  await output.rotate();
  expect((await stat(`${file}.1`)).size).toBe(LIMIT);
  expect((await stat(file)).size).toBe(0);
  expect(await output.lastLines()).toMatch(/last$/); // still to be had
  await handle.write('more\n');
  await handle.close();
  expect(await readFile(file, 'utf8')).toBe('more\n');
  expect(await output.lastLines()).toBe('more');
});

it('leaves a small one alone, and one that cannot be moved', async () => {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  const output = new OutputFile(file);
  await output.rotate();
  await writeFile(file, 'small\n');
  await output.rotate();
  expect(await readFile(file, 'utf8')).toBe('small\n');
  await mkdir(`${file}.1`);
  await appendFile(file, 'x'.repeat(LIMIT));
  await output.rotate();
  expect((await stat(file)).size).toBeGreaterThan(LIMIT);
});

it('says where the bytes of a program are, also when there are more of them after a rotation', async () => {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  const output = new OutputFile(file);
  await writeFile(file, 'x'.repeat(LIMIT + 100));
  await output.rotate();
  expect(await readOutputStarts(file)).toMatchObject({ before: 100, current: LIMIT + 100 });
  await writeFile(file, 'x'.repeat(2 * LIMIT));
  expect(await readOutputStarts(file)).toMatchObject({ before: 100, current: LIMIT + 100 });
  await (await output.open()).close();
  expect(await readOutputStarts(file)).toMatchObject({ current: 3 * LIMIT + 100 });
});
