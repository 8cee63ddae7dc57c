import { lstat, mkdir, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { giveSharedDirectory, makeSharedDirectory } from '../../src/host/shared-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

it('makes directories that everybody can enter, whatever our umask', async () => {
  const directory = await temporaryDirectory();
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  expect(await makeSharedDirectory(path.join(directory, 'a/b'))).toBe(true);
  expect(await modeOf(path.join(directory, 'a'))).toBe(0o755);
  expect(await modeOf(path.join(directory, 'a/b'))).toBe(0o755);
});

it('leaves one as it is that is there', async () => {
  const directory = path.join(await temporaryDirectory(), 'a');
  await mkdir(directory, { mode: 0o700 });
  expect(await makeSharedDirectory(directory)).toBe(false);
  expect(await modeOf(directory)).toBe(0o700);
});

it.runIf(process.getuid?.() === 0)(
  'gives a directory away, and never what a link points to',
  async () => {
    const directory = await temporaryDirectory();
    const [folder, link] = [path.join(directory, 'folder'), path.join(directory, 'link')];
    await mkdir(folder);
    await symlink(folder, link);
    const user = { name: 'k2hdkc', uid: 990, gid: 991 };
    await giveSharedDirectory(user, link);
    expect((await lstat(link)).uid).toBe(990);
    expect((await lstat(folder)).uid).toBe(0);
    await giveSharedDirectory(user, folder);
    expect(await lstat(folder)).toMatchObject({ uid: 990, gid: 991 });
  },
);
