import { execFileSync } from 'node:child_process';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LineFile } from '../../src/host/line-file.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

async function bench(largest = 20) {
  const file = path.join(await temporaryDirectory(), 'lines');
  return { file, lines: new LineFile(file, largest) };
}

it('keeps lines for the next agent, for its owner alone', async () => {
  const { file, lines } = await bench();
  expect(lines.read()).toEqual([]);
  lines.append('one');
  lines.append('two');
  expect(new LineFile(file, 20).read()).toEqual(['one', 'two', '']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect([lines.isFull(12), lines.isFull(13)]).toEqual([false, true]);
  lines.replace(['three']);
  expect(await readFile(file, 'utf8')).toBe('three\n');
});

it('reads the end of a file that is too long', async () => {
  const { file, lines } = await bench(8);
  await writeFile(file, 'the oldest\nthe\nnew\n');
  expect(lines.read()).toEqual(['the', 'new', '']);
});

it('follows no link', async () => {
  const { file, lines } = await bench();
  await writeFile(`${file}.other`, 'of others\n');
  await symlink(`${file}.other`, file);
  lines.append('x');
  expect(lines.read()).toEqual([]);
  expect(await readFile(`${file}.other`, 'utf8')).toBe('of others\n');
});

it('waits for nobody at a pipe', async () => {
  const { file, lines } = await bench();
  execFileSync('mkfifo', [file]);
  lines.append('x');
  expect(lines.read().join('')).toBe('');
});
