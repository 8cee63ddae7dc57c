import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  clearWorkDirectory,
  inWorkDirectory,
  type WorkPlace,
} from '../../src/backup/work-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** A work directory in this folder, which alone is allowed. */
function place(parent: string): WorkPlace {
  return { parent, within: [parent], name: 'work', user: null };
}

it('gives an empty directory that is private, and removes it', async () => {
  const parent = path.join(await temporaryDirectory(), 'data');
  const used = await inWorkDirectory(place(parent), async ({ directory, desk }) => {
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await writeFile(path.join(directory, 'file'), 'x');
    await writeFile(path.join(desk.directory, 'file'), 'x');
    return readlink(directory);
  });
  expect(used).toBe(path.join(parent, 'work'));
  expect(await readdir(parent)).toEqual([]);
});

it('clears nothing, and makes nothing, where no data is', async () => {
  const above = await temporaryDirectory();
  await clearWorkDirectory({ ...place(path.join(above, 'data')), within: [above] });
  await clearWorkDirectory(place(path.join(above, 'data')));
  expect(await readdir(above)).toEqual([]);
  await rm(above, { recursive: true });
  await clearWorkDirectory(place(above));
});

it('removes it after a failure too', async () => {
  const parent = await temporaryDirectory();
  const work = inWorkDirectory(place(parent), () => Promise.reject(new Error('no luck')));
  await expect(work).rejects.toThrow('no luck');
  expect(await readdir(parent)).toEqual([]);
});

it('clears what was left, and ends those who work in it and nobody else', async () => {
  const parent = await temporaryDirectory();
  const left = path.join(parent, 'work');
  await mkdir(path.join(left, 'deep'), { recursive: true, mode: 0o700 });
  const within = spawn('sleep', ['1000'], { cwd: left });
  const beside = spawn('sleep', ['1000'], { cwd: parent });
  await Promise.all([once(within, 'spawn'), once(beside, 'spawn')]);
  const gone = once(within, 'exit');
  await inWorkDirectory(place(parent), async ({ directory }) => {
    expect(await readdir(directory)).toEqual(['desk']);
  });
  expect(await gone).toEqual([null, 'SIGKILL']);
  expect(beside.exitCode).toBeNull();
  beside.kill('SIGKILL');
});
