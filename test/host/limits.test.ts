import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { processLimit, queueMessageLimit } from '../../src/host/limits.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it('reads the limits of this process', async () => {
  const { soft, hard } = await processLimit('Max open files');
  expect(soft).toBeGreaterThan(0);
  expect(hard).toBeGreaterThanOrEqual(soft);
});

it('reads msg_max, which is 0 where there are no message queues', async () => {
  const file = path.join(await temporaryDirectory(), 'msg_max');
  expect(await queueMessageLimit(file)).toBe(0);
  await writeFile(file, '1025\n');
  expect(await queueMessageLimit(file)).toBe(1025);
});

it('knows unlimited, and does not guess', async () => {
  const file = path.join(await temporaryDirectory(), 'limits');
  await writeFile(file, 'Max open files            20000  unlimited  files\n');
  expect(await processLimit('Max open files', file)).toEqual({ soft: 20_000, hard: Infinity });
  await expect(processLimit('Max msgqueue size', file)).rejects.toThrow('has no Max msgqueue size');
});
