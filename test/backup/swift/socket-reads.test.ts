import { expect, it } from 'vitest';
import { bodiesAreCopies } from '../../../src/backup/swift/socket-reads.ts';

it('this Node.js copies bodies out of what it reads, so that this can be freed', async () => {
  expect(await bodiesAreCopies()).toBe(true);
});
