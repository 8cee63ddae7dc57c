import { appendFile, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { FileSource } from '../../../src/guest/logs/file-source.ts';
import type { LogLine } from '../../../src/guest/logs/log-source.ts';
import { OutputFile } from '../../../src/process/output-file.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { readAll, textOf } from './lines.ts';

/** Above which an output file is rotated. */
const LIMIT = 1024 * 1024;

async function bench() {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  return { file, source: new FileSource(file), output: new OutputFile(file) };
}

/** So many bytes in numbered lines of 100. */
function numbered(from: number, bytes: number): string {
  const lines = Array.from({ length: bytes / 100 }, (_, n) => `${from + n} `.padEnd(99, 'x'));
  return `${lines.join('\n')}\n`;
}

it('gives the lines of a file, and goes on behind the last one', async () => {
  const { file, source } = await bench();
  await writeFile(file, 'one\ntwo\nhalf');
  const first = await readAll(source);
  expect(textOf(first)).toBe('one\ntwo\n');
  expect(first.map((line) => line.source)).toEqual([4, 4]);
  await appendFile(file, ' and half\nthree\n');
  const more = await readAll(source, first.at(-1)?.after);
  expect(textOf(more)).toBe('half and half\nthree\n');
  expect(await readAll(source, more.at(-1)?.after)).toEqual([]);
});

it('gives nothing of a program that was never started', async () => {
  const { source } = await bench();
  expect(await readAll(source)).toEqual([]);
});

it('loses no line, and gives none twice, when the file is rotated', async () => {
  const { file, source, output } = await bench();
  await writeFile(file, numbered(0, LIMIT - 76)); // 10485 lines
  const first = await readAll(source);
  await appendFile(file, numbered(10_485, 1000));
  await output.rotate();
  await appendFile(file, 'after\n');
  const more = await readAll(source, first.at(-1)?.after);
  expect(textOf(more)).toBe(`${numbered(10_485, 1000)}after\n`);
  await appendFile(file, numbered(20_000, LIMIT - 76));
  await output.rotate();
  await appendFile(file, 'last\n');
  const last = await readAll(source, more.at(-1)?.after);
  expect(textOf(last)).toBe(`${numbered(20_000, LIMIT - 76)}last\n`);
  const end = last.at(-1)?.after;
  expect(end).toMatchObject({ offset: 2 * (LIMIT - 76) + 1000 + 6 + 5 });
  expect(await readAll(source, end)).toEqual([]);
});

it('ends early when the file is rotated while it is read, and goes on from there', async () => {
  const { file, source, output } = await bench();
  await writeFile(file, numbered(0, LIMIT + 24));
  const first: LogLine[] = [];
  for await (const line of source.read(null, new AbortController().signal)) {
    if (first.length === 0) {
      await output.rotate();
      await appendFile(file, numbered(20_000, 500_000));
    }
    first.push(line);
  }
  const more = await readAll(source, first.at(-1)?.after);
  expect(textOf([...first, ...more])).toBe(numbered(0, LIMIT + 24) + numbered(20_000, 500_000));
});

it('says that lines are gone when more was written than is kept', async () => {
  const { file, source, output } = await bench();
  await writeFile(file, 'first\n');
  const first = await readAll(source);
  await appendFile(file, numbered(0, 2 * LIMIT + 48));
  await output.rotate();
  const more = await readAll(source, first.at(-1)?.after);
  const text = textOf(more);
  expect(text).toMatch(/^\[k2hdkc-guest-agent: lines before this one are gone\]\n\d+ x/);
  expect(text.endsWith(numbered(20_971, 100))).toBe(true);
  expect(await readAll(source, more.at(-1)?.after)).toEqual([]);
});

it('takes a file that is another one for new from its beginning', async () => {
  const { file, source } = await bench();
  await writeFile(file, 'one\ntwo\n');
  const after = (await readAll(source)).at(-1)?.after;
  await rm(file);
  await writeFile(file, 'other, and longer\n');
  expect(textOf(await readAll(source, after))).toBe('other, and longer\n');
  await truncate(file);
  await appendFile(file, 'x\n');
  expect(textOf(await readAll(source, after))).toBe('x\n');
});

it('leaves a line out that is too long, and says so', async () => {
  const { file, source } = await bench();
  await writeFile(file, `a\n${'x'.repeat(300_000)}\nb\n`);
  const lines = await readAll(source);
  expect(textOf(lines)).toBe('a\n[k2hdkc-guest-agent: a line of 300001 bytes is left out]\nb\n');
  expect(lines.map((line) => line.source)).toEqual([2, 300_001, 2]);
});

it('does not give what was rotated away by somebody else', async () => {
  const { file, source } = await bench();
  await writeFile(`${file}.1`, 'not of this log\n');
  await writeFile(file, 'one\n');
  expect(textOf(await readAll(source))).toBe('one\n');
});

it.each([
  ['a link', (file: string) => symlink('/etc/passwd', file)],
  ['a folder', (file: string) => mkdir(file)],
])('refuses %s', async (_, make) => {
  const { file, source } = await bench();
  await make(file);
  await expect(readAll(source)).rejects.toThrow(`the log ${file} `);
});
