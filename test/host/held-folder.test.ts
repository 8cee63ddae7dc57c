import type { MakeDirectoryOptions } from 'node:fs';
import type fs from 'node:fs/promises';
import { lstat, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { holdFolder, whyOutside } from '../../src/host/held-folder.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** What happens to a folder of this name as soon as it is made. */
const races = vi.hoisted(() => ({
  name: '',
  then: null as ((folder: string) => Promise<void>) | null,
}));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const mkdirThen = async (folder: string, options?: MakeDirectoryOptions) => {
    const made = await real.mkdir(folder, options);
    if (races.name !== '' && folder.endsWith(`/${races.name}`)) await races.then?.(folder);
    return made;
  };
  return { ...real, mkdir: mkdirThen };
});

it('a file may be in a folder that is not there yet, as on a fresh VM', async () => {
  const data = path.join(await temporaryDirectory(), 'k2hdkc/data');
  expect(await whyOutside(path.join(data, 'k2hdkc.k2h'), ['/var/lib/antpickax', data])).toBe(null);
});

it('a link in the folder that leads out of it is no way out', async () => {
  const root = await temporaryDirectory();
  const data = path.join(root, 'data');
  await mkdir(data);
  await symlink(root, path.join(data, 'away'));
  const file = path.join(data, 'away/k2hdkc.k2h');
  expect(await whyOutside(file, [data])).toContain('is not in');
});

describe('a folder that is exchanged while it is made', () => {
  it('for one with files of somebody else is refused, and that one stays as it is', async () => {
    const data = await temporaryDirectory();
    const precious = path.join(data, 'precious');
    await mkdir(precious, { mode: 0o700 });
    await writeFile(path.join(precious, 'a'), 'a');
    races.name = 'new';
    races.then = async (folder) => {
      await rm(folder, { recursive: true });
      await rename(precious, path.join(data, 'new'));
    };
    const held = holdFolder(path.join(data, 'new'), [data]).finally(() => (races.name = ''));
    await expect(held).rejects.toThrow('new has been exchanged while it was made');
    expect((await lstat(path.join(data, 'new'))).mode & 0o777).toBe(0o700);
  });

  it('for a link is refused', async () => {
    const data = await temporaryDirectory();
    races.name = 'new';
    races.then = async (folder) => {
      await rm(folder, { recursive: true });
      await symlink('/etc', path.join(data, 'new'));
    };
    const held = holdFolder(path.join(data, 'new'), [data]).finally(() => (races.name = ''));
    await expect(held).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
