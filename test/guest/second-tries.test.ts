import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SecondTries } from '../../src/guest/second-tries.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const body = (n: number): Buffer => Buffer.from(`message ${n}`);

describe('SecondTries', () => {
  it('lets each message be tried five times more, over restarts of the agent too', async () => {
    const directory = await temporaryDirectory();
    const tries = new SecondTries(directory, 5);
    expect([1, 2, 3].map(() => tries.take(body(1)))).toEqual([true, true, true]);
    const next = new SecondTries(directory, 5);
    expect([1, 2, 3].map(() => next.take(body(1)))).toEqual([true, true, false]);
    expect(next.take(body(2))).toBe(true);
  });

  it('keeps a file of bounded size that only its owner reads', async () => {
    const directory = await temporaryDirectory();
    const tries = new SecondTries(directory, 5);
    for (let n = 0; n < 5_000; n++) tries.take(body(n));
    const { size, mode } = await stat(path.join(directory, 'second-tries'));
    expect(size).toBeLessThan(70_000);
    expect(mode & 0o777).toBe(0o600);
    for (let n = 0; n < 4; n++) tries.take(body(4_999));
    expect(tries.take(body(4_999))).toBe(false);
  });

  it.each(['', '{}', '\0\0\0', 'f'.repeat(1_000_000)])(
    'begins again with a file %#',
    async (text) => {
      const directory = await temporaryDirectory();
      await writeFile(path.join(directory, 'second-tries'), text);
      const tries = new SecondTries(directory, 5);
      const taken = Array.from({ length: 6 }, () => tries.take(body(1)));
      expect(taken).toEqual([true, true, true, true, true, false]);
    },
  );

  it('tries a message when it cannot note that, and follows no link', async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'full/second-tries'), { recursive: true });
    expect(new SecondTries(path.join(directory, 'full')).take(body(1))).toBe(true);
    await writeFile(path.join(directory, 'other'), 'mine');
    await symlink(path.join(directory, 'other'), path.join(directory, 'second-tries'));
    expect(new SecondTries(directory, 5).take(body(1))).toBe(true);
    expect(await readFile(path.join(directory, 'other'), 'utf8')).toBe('mine');
  });
});
