import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OutputFile } from '../../src/process/output-file.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const LIMIT = 1024 * 1024;

/** A program that has written 100 MiB; most of it takes no room on the disk. */
async function flooded(): Promise<{ file: string; output: OutputFile }> {
  const file = path.join(await temporaryDirectory(), 'chmpx.out');
  await writeFile(file, '');
  const handle = await open(file, 'r+');
  await handle.write('the last line\n', 100 * LIMIT);
  await handle.close();
  return { file, output: new OutputFile(file) };
}

describe('the output of a program that writes 100 MiB', () => {
  it.each(['while it runs', 'at the next start'])('is a mebibyte %s', async (when) => {
    const { file, output } = await flooded();
    if (when === 'while it runs') await output.rotate();
    else await (await output.open()).close();
    const { size, mode } = await stat(`${file}.1`);
    expect(size).toBe(LIMIT);
    expect(mode & 0o777).toBe(0o600);
    expect(await readFile(`${file}.1`, 'utf8')).toMatch(/the last line\n$/);
    expect((await stat(file)).size).toBe(0);
    expect((await readdir(path.dirname(file))).sort()).toEqual([
      'chmpx.out',
      'chmpx.out.1',
      'chmpx.out.starts',
    ]);
    expect(await output.lastLines()).toMatch(/the last line$/);
  });
});
