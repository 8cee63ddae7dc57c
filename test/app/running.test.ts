import { describe, expect, it } from 'vitest';
import { runParts, type Part } from '../../src/app/running.ts';
import { deferred } from '../helpers/deferred.ts';

/** A part that ends when it is told to and let, and what happened to it. */
function part() {
  const done = deferred<undefined>();
  const seen: string[] = [];
  const one: Part = {
    async run(signal) {
      seen.push('runs');
      signal.addEventListener('abort', () => seen.push('is told to end'));
      await done.promise;
      seen.push('has ended');
    },
  };
  return { one, seen, ...done };
}

/** Lets all promises go on that can. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the parts of an agent', () => {
  it('all run, and are told to end only when the agent ends', async () => {
    const [first, second] = [part(), part()];
    const ending = new AbortController();
    const running = runParts([first.one, second.one], ending);
    await turn();
    expect([first.seen, second.seen]).toEqual([['runs'], ['runs']]);
    const ended = running.end();
    first.resolve(undefined);
    second.resolve(undefined);
    await ended;
    expect(ending.signal.aborted).toBe(true);
    expect(first.seen).toEqual(['runs', 'is told to end', 'has ended']);
    expect(second.seen).toEqual(first.seen);
  });

  it('are waited for, each of them, before anything is given back', async () => {
    const [quick, slow] = [part(), part()];
    const running = runParts([quick.one, slow.one], new AbortController());
    let over = false;
    const ended = running.end().then(() => (over = true));
    quick.resolve(undefined);
    await turn();
    expect(over).toBe(false);
    slow.resolve(undefined);
    await ended;
    expect(over).toBe(true);
  });

  it('fail the agent when one of them fails, at once', async () => {
    const [bad, good] = [part(), part()];
    const running = runParts([bad.one, good.one], new AbortController());
    bad.reject(new Error('the disk is gone'));
    await expect(running.failed).rejects.toThrow('the disk is gone');
    await expect(running.end()).rejects.toThrow('the disk is gone');
  });

  it('are no failure when they have ended as they were told to', async () => {
    const one = part();
    const running = runParts([one.one], new AbortController());
    let failed = false;
    running.failed.catch(() => (failed = true));
    one.resolve(undefined);
    await running.end();
    const first = await Promise.race([running.failed, turn().then(() => 'nothing')]);
    expect([first, failed]).toEqual(['nothing', false]);
  });
});
