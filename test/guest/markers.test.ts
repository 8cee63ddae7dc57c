import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Markers } from '../../src/guest/markers.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it('shows how far prepare came, as the guest agent of Trove does', async () => {
  const directory = path.join(await temporaryDirectory(), 'opt', 'trove-guestagent');
  const markers = new Markers(directory);
  const START = '.guestagent.prepare.start';
  const END = '.guestagent.prepare.end';
  await markers.prepareStarted();
  expect(await readdir(directory)).toEqual([START]);
  await markers.prepareEnded();
  expect((await readdir(directory)).sort()).toEqual([END, START]);
  await markers.prepareStarted();
  expect(await readdir(directory)).toEqual([START]);
  const { mode, size } = await stat(path.join(directory, START));
  expect(mode & 0o777).toBe(0o644);
  expect(size).toBe(0);
});
