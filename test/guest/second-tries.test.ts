import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SecondTries } from '../../src/guest/second-tries.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const body = (n: number): Buffer => Buffer.from(`message ${n}`);

/** Tries a message, and says so when it has read it. */
function read(tries: SecondTries, message: Buffer): boolean {
  const begun = tries.begin(message);
  tries.survived();
  return begun;
}

describe('SecondTries', () => {
  it('lets each message be read five times more, over restarts of the agent too', async () => {
    const directory = await temporaryDirectory();
    const tries = new SecondTries(directory, 5);
    expect([1, 2, 3].map(() => read(tries, body(1)))).toEqual([true, true, true]);
    const next = new SecondTries(directory, 5);
    expect([1, 2, 3].map(() => read(next, body(1)))).toEqual([true, true, false]);
    expect(read(next, body(2))).toBe(true);
  });

  it('tries no more what two agents in a row have not read to its end', async () => {
    const directory = await temporaryDirectory();
    const begun = () => new SecondTries(directory).begin(body(1));
    expect([begun(), begun(), begun(), begun()]).toEqual([true, true, false, false]);
    expect(new SecondTries(directory).begin(body(2))).toBe(true);
  });

  it('does not count against a message that one agent ended in it, when the next has read it', async () => {
    const directory = await temporaryDirectory();
    for (let n = 0; n < 20; n++) {
      expect(new SecondTries(directory).begin(body(1))).toBe(true);
      expect(read(new SecondTries(directory), body(1))).toBe(true);
    }
  });

  it('has not forgotten what is suspicious when others have filled its file', async () => {
    const directory = await temporaryDirectory();
    for (let n = 0; n < 2; n++) {
      expect(new SecondTries(directory).begin(body(1))).toBe(true);
      const tries = new SecondTries(directory);
      for (let other = 2; other < 2_000; other++) read(tries, body(other));
    }
    expect(new SecondTries(directory).begin(body(1))).toBe(false);
  });

  it('keeps a file of bounded size that only its owner reads', async () => {
    const directory = await temporaryDirectory();
    const tries = new SecondTries(directory, 5);
    for (let n = 0; n < 5_000; n++) read(tries, body(n));
    const { size, mode } = await stat(path.join(directory, 'second-tries'));
    expect(size).toBeLessThan(70_000);
    expect(mode & 0o777).toBe(0o600);
    for (let n = 0; n < 4; n++) read(tries, body(4_999));
    expect(read(tries, body(4_999))).toBe(false);
  });

  it.each(['', '{}', '\0\0\0', 'f'.repeat(1_000_000)])(
    'begins again with a file %#',
    async (text) => {
      const directory = await temporaryDirectory();
      await writeFile(path.join(directory, 'second-tries'), text);
      const tries = new SecondTries(directory, 5);
      const taken = Array.from({ length: 6 }, () => read(tries, body(1)));
      expect(taken).toEqual([true, true, true, true, true, false]);
    },
  );

  it('tries a message when it cannot note that, and follows no link', async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'full/second-tries'), { recursive: true });
    expect(new SecondTries(path.join(directory, 'full')).begin(body(1))).toBe(true);
    await writeFile(path.join(directory, 'other'), 'mine');
    await symlink(path.join(directory, 'other'), path.join(directory, 'second-tries'));
    expect(new SecondTries(directory, 5).begin(body(1))).toBe(true);
    expect(await readFile(path.join(directory, 'other'), 'utf8')).toBe('mine');
  });
});
