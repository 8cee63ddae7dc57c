import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readBootId } from '../../src/host/boot-id.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it('is the same for the whole boot, and without the newline', async () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
  const file = path.join(await temporaryDirectory(), 'boot_id');
  await writeFile(file, 'the-next-boot\n');
  expect(readBootId(file)).toBe('the-next-boot');
});
