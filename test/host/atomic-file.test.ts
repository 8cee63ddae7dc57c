import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  makePrivateDirectory,
  removeUnfinishedWrites,
  writeFileAtomic,
} from '../../src/host/atomic-file.ts';
import { bundle } from '../helpers/bundle.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

async function modeOf(file: string): Promise<string> {
  return ((await stat(file)).mode & 0o7777).toString(8);
}

describe('writeFileAtomic', () => {
  it('makes a file that only its owner reads', async () => {
    const directory = await temporaryDirectory();
    const file = path.join(directory, 'desired.json');
    await writeFileAtomic(file, 'content');
    expect(await readFile(file, 'utf8')).toBe('content');
    expect(await modeOf(file)).toBe('600');
    expect(await readdir(directory)).toEqual(['desired.json']);
  });

  it('gives the mode it is asked for, whatever the umask and the old file had', async () => {
    const file = path.join(await temporaryDirectory(), 'cluster.ini');
    await writeFile(file, 'old', { mode: 0o600 });
    await writeFileAtomic(file, Buffer.from('new'), { mode: 0o666 });
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await modeOf(file)).toBe('666');
  });

  it('replaces the file itself: who has opened the old one keeps it', async () => {
    const file = path.join(await temporaryDirectory(), 'cluster.ini');
    await writeFileAtomic(file, 'old');
    const { ino } = await stat(file);
    await writeFileAtomic(file, 'new');
    expect((await stat(file)).ino).not.toBe(ino);
  });

  it('leaves the old content, and nothing else, when the disk takes no more', async () => {
    const directory = await temporaryDirectory();
    const program = await bundle('test/host/write-too-much.child.ts', await temporaryDirectory());
    const file = path.join(directory, 'desired.json');
    await writeFileAtomic(file, 'old');
    const command = `ulimit -f 64 && exec "${process.execPath}" "${program}" "${file}"`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]);
    expect(stdout).toBe('EFBIG');
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['desired.json']);
  });

  it('leaves nothing when it cannot take the place of what is there', async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'desired.json', 'sub'), { recursive: true });
    await expect(writeFileAtomic(path.join(directory, 'desired.json'), 'x')).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['desired.json']);
  });

  it('can write one file many times at once', async () => {
    const directory = await temporaryDirectory();
    const file = path.join(directory, 'x');
    const contents = Array.from({ length: 20 }, (_, n) => String(n).repeat(1000));
    await Promise.all(contents.map((content) => writeFileAtomic(file, content)));
    expect(contents).toContain(await readFile(file, 'utf8'));
    expect(await readdir(directory)).toEqual(['x']);
  });
});

describe('removeUnfinishedWrites', () => {
  it('removes what a process that was killed in the middle of a write has left', async () => {
    const directory = await temporaryDirectory();
    for (const name of ['role.json', 'role.json.0123456789ab.tmp', 'notes.tmp', 'x.tmp.json']) {
      await writeFile(path.join(directory, name), '');
    }
    await removeUnfinishedWrites(directory);
    expect((await readdir(directory)).sort()).toEqual(['notes.tmp', 'role.json', 'x.tmp.json']);
  });
});

describe('makePrivateDirectory', () => {
  it('makes what is missing for its owner alone and leaves what is there', async () => {
    const directory = path.join(await temporaryDirectory(), 'a', 'b');
    await makePrivateDirectory(directory);
    expect(await modeOf(directory)).toBe('700');
    await writeFile(path.join(directory, 'file'), 'x');
    await makePrivateDirectory(directory);
    expect(await readdir(directory)).toEqual(['file']);
  });
});
