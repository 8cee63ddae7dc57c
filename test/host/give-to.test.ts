import { chmod, chown, link, mkdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { giveTo } from '../../src/host/give-to.ts';
import { holdFolder } from '../../src/host/held-folder.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const USER = { name: 'k2hdkc', uid: 990, gid: 991 };
const OTHER = 4711;

/** A folder of this user with a file of root in it, and another one that only root may enter. */
async function folders(owner: number, mode: number) {
  const directory = await temporaryDirectory();
  const at = (name: string): string => path.join(directory, name);
  await mkdir(at('data'));
  await writeFile(at('data/file'), '');
  await chown(at('data'), owner, owner === USER.uid ? USER.gid : owner);
  await chmod(at('data'), mode);
  await mkdir(at('root-only'), { mode: 0o700 });
  await writeFile(at('root-only/secret'), '');
  const folder = await holdFolder(at('data'), [at('')]);
  const give = async (mayGiveFolder: boolean, file = 'file'): Promise<void> => {
    try {
      await giveTo(USER, { folder, file, mayGiveFolder }, at(`data/${file}`));
    } finally {
      await folder.close();
    }
  };
  const ownerOf = async (name: string): Promise<number> => (await stat(at(name))).uid;
  return { at, give, ownerOf };
}

describe.runIf(process.getuid?.() === 0)('a folder and a file in it', () => {
  it.each([
    ['a folder of that user: the file', USER.uid, 0o755, false, [USER.uid, USER.uid]],
    ['a folder of ours to give: both', 0, 0o755, true, [USER.uid, USER.uid]],
    ["a third user's folder of ours to give: both", OTHER, 0o755, true, [USER.uid, USER.uid]],
  ])('are given: %s', async (_, owner, mode, mayGive, [folder, file]) => {
    const { give, ownerOf } = await folders(owner, mode);
    await give(mayGive);
    expect([await ownerOf('data'), await ownerOf('data/file')]).toEqual([folder, file]);
  });

  it.each([
    ['where that user may not write', 0, 0o755],
    ['of a third user', OTHER, 0o755],
    ['where everybody may write, with a file of root', 0, 0o777],
  ])('stay as they are in a folder %s', async (_, owner, mode) => {
    const { give, ownerOf } = await folders(owner, mode);
    await expect(give(false)).rejects.toThrow('run chown k2hdkc:');
    expect([await ownerOf('data'), await ownerOf('data/file')]).toEqual([owner, 0]);
  });

  it('a file that is not there stays so, where that user can make it', async () => {
    const { give, ownerOf } = await folders(0, 0o777);
    await give(false, 'none');
    expect(await ownerOf('data')).toBe(0);
  });

  it.each([
    ['a link', (secret: string, file: string) => symlink(secret, file)],
    ['a second name', (secret: string, file: string) => link(secret, file)],
  ])('%s of a file of root is not given', async (_, plant) => {
    const { at, give, ownerOf } = await folders(USER.uid, 0o755);
    await plant(at('root-only/secret'), at('data/planted'));
    await expect(give(false, 'planted')).rejects.toThrow('no file of its own');
    expect(await ownerOf('root-only/secret')).toBe(0);
  });

  it('a folder that is swapped after it was opened gives away nothing of the other', async () => {
    const { at, give, ownerOf } = await folders(USER.uid, 0o755);
    await rename(at('data'), at('away'));
    await symlink(at('root-only'), at('data'));
    await give(true, 'secret');
    expect([await ownerOf('root-only'), await ownerOf('root-only/secret')]).toEqual([0, 0]);
  });
});
