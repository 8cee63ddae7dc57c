import { expect, it } from 'vitest';
import { awaitedLater } from './awaited-later.ts';
import { until } from './until.ts';

it('keeps a rejection for whoever awaits it', async () => {
  const seen: unknown[] = [];
  const see = (reason: unknown): void => void seen.push(reason);
  process.once('unhandledRejection', see);
  const promise = awaitedLater(Promise.reject(new Error('too early')));
  let turns = 0;
  await until('some turns of the event loop', () => (turns += 1) > 3, { everyMs: 1 });
  process.off('unhandledRejection', see);
  expect(seen).toEqual([]);
  await expect(promise).rejects.toThrow('too early');
});
