import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeLeftovers } from '../../src/process/leftovers.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it('removes what a killed chmpx of this node has left, and nothing else', async () => {
  const directory = await temporaryDirectory();
  const own = ['c-8021.chmpx', 'c-8021.chmpx.bup', 'c-8021.chmpx.bup.0', 'c-8021.k2h'];
  const others = [
    'c-8031.chmpx',
    'c-8021.chmpx.old',
    'c-8021.k2h.bup.x',
    'xc-8021.k2h',
    '.fullock',
  ];
  for (const name of [...own, ...others]) await writeFile(path.join(directory, name), '');
  const files = ['c-8021.chmpx', 'c-8021.k2h'].map((name) => path.join(directory, name));
  expect(await removeLeftovers(files)).toEqual(expect.arrayContaining(own));
  expect((await readdir(directory)).sort()).toEqual(others.sort());
  expect(await removeLeftovers(files)).toEqual([]);
  expect(await removeLeftovers(['/nonexistent/c.chmpx'])).toEqual([]);
});
