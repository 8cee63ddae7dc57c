import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { whyOutside } from '../../src/host/held-folder.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

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
