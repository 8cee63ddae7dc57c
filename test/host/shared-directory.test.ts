import { lstat, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { giveTo, makeSharedDirectory } from '../../src/host/shared-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

it('makes directories that everybody can enter, whatever our umask', async () => {
  const directory = await temporaryDirectory();
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  await makeSharedDirectory(path.join(directory, 'a/b'));
  expect(await modeOf(path.join(directory, 'a'))).toBe(0o755);
  expect(await modeOf(path.join(directory, 'a/b'))).toBe(0o755);
});

it('leaves one as it is that is there', async () => {
  const directory = path.join(await temporaryDirectory(), 'a');
  await mkdir(directory, { mode: 0o700 });
  await makeSharedDirectory(directory);
  expect(await modeOf(directory)).toBe(0o700);
});

it.runIf(process.getuid?.() === 0)(
  'gives a file away, and never what a link points to',
  async () => {
    const directory = await temporaryDirectory();
    const [file, link] = [path.join(directory, 'file'), path.join(directory, 'link')];
    await writeFile(file, '');
    await symlink(file, link);
    const user = { name: 'k2hdkc', uid: 990, gid: 991 };
    await giveTo(user, link);
    expect((await lstat(link)).uid).toBe(990);
    expect((await lstat(file)).uid).toBe(0);
    await giveTo(user, file);
    expect(await lstat(file)).toMatchObject({ uid: 990, gid: 991 });
    await giveTo(user, path.join(directory, 'not-there'));
  },
);
