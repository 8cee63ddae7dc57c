import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishIni } from '../../../src/ini/text/publish.ts';

describe('publishIni', () => {
  let directory = '';
  let file = '';
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'publish-'));
    file = path.join(directory, 'k2hdkc.ini');
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('replaces the file by another one, readable by all', async () => {
    await writeFile(file, 'old');
    const before = await stat(file);
    expect(await publishIni(file, 'new')).toBe(true);
    const after = await stat(file);
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(after.ino).not.toBe(before.ino);
    expect(after.mode & 0o777).toBe(0o644);
    expect(await readdir(directory)).toEqual(['k2hdkc.ini']);
  });

  it('writes a file that is not there yet', async () => {
    expect(await publishIni(file, 'new')).toBe(true);
    expect(await readFile(file, 'utf8')).toBe('new');
  });

  it('does not touch a file that is the same already', async () => {
    await publishIni(file, 'text');
    const before = await stat(file, { bigint: true });
    expect(await publishIni(file, 'text')).toBe(false);
    const after = await stat(file, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it('refuses a name by which chmpx would not know the format', async () => {
    const wrong = path.join(directory, 'k2hdkc.conf');
    await expect(publishIni(wrong, 'x')).rejects.toThrow(/name must end in .ini/);
    expect(await readdir(directory)).toEqual([]);
  });

  it('says what to look at when the directory is missing', async () => {
    const lost = path.join(directory, 'lost', 'k2hdkc.ini');
    await expect(publishIni(lost, 'x')).rejects.toThrow(
      /lost\/k2hdkc.ini cannot be replaced, check its directory: ENOENT/,
    );
  });
});
