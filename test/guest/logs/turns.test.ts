import { expect, it } from 'vitest';
import { Turns } from '../../../src/guest/logs/turns.ts';
import { deferred } from '../../helpers/deferred.ts';

it('begin when the one before is over, also by a failure, and only of the same name', async () => {
  const turns = new Turns();
  const gate = deferred();
  const begun: string[] = [];
  const turn = (name: string, what: string, work: Promise<unknown>): Promise<unknown> =>
    turns.take(name, () => {
      begun.push(what);
      return work;
    });
  const first = turn('a', 'first', gate.promise);
  const second = turn('a', 'second', Promise.resolve(2));
  await turn('b', 'other', Promise.resolve());
  expect(begun).toEqual(['first', 'other']);
  gate.reject(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  expect(await second).toBe(2);
});
