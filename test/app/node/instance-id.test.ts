import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readInstanceId } from '../../../src/app/node/instance-id.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

it('is what cloud-init wrote, without the end of the line', async () => {
  const file = path.join(await temporaryDirectory(), 'instance-id');
  await writeFile(file, 'i-0000002a\n');
  expect(await readInstanceId(file)).toBe('i-0000002a');
});

it.each([
  ['there is no file', null],
  ['it is empty', '\n'],
])('can come later when %s: the next try may find it', async (_, text) => {
  const file = path.join(await temporaryDirectory(), 'instance-id');
  if (text !== null) await writeFile(file, text);
  await expect(readInstanceId(file)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining(`${file} holds no instance id`) as string,
  });
});
