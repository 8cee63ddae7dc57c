import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readPlainFile } from '../../src/host/plain-file.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { OBSTACLES } from './obstacles.ts';

it('reads a file, also through a link, up to the limit', async () => {
  const file = path.join(await temporaryDirectory(), 'a');
  await writeFile(file, 'tëxt\n');
  await symlink(file, `${file}.link`);
  expect(await readPlainFile(file)).toBe('tëxt\n');
  expect(await readPlainFile(`${file}.link`, 6)).toBe('tëxt\n');
  await expect(readPlainFile(file, 5)).rejects.toThrow('has 6 bytes, and 5 are allowed');
});

it('says that there is none by its code', async () => {
  const file = path.join(await temporaryDirectory(), 'a');
  await expect(readPlainFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each(OBSTACLES)('refuses %s at once', async (_, make) => {
  const file = path.join(await temporaryDirectory(), 'a');
  await make(file);
  await expect(readPlainFile(file)).rejects.toThrow(file);
});
