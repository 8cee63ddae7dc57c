import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { forwards } from '../../src/network/forwarding.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it.each([
  ['0\n', false],
  ['1\n', true],
  ['2\n', true], // of IPv6: and takes routes of others
  [null, false],
])('%j in the kernel is %s', async (text, expected) => {
  const file = path.join(await temporaryDirectory(), 'forwarding');
  if (text !== null) await writeFile(file, text);
  expect(await forwards(6, { 4: '/nowhere', 6: file })).toBe(expected);
});
