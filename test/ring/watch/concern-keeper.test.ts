import { expect, it } from 'vitest';
import { ConcernKeeper } from '../../../src/ring/watch/concern-keeper.ts';
import type { Finding } from '../../../src/ring/watch/concerns.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ManualClock } from '../../base/manual-clock.ts';

const DOWN: Finding = { kind: 'server-down', subject: 'b', text: 'b is down', patienceMs: 3_000 };

function bench() {
  const clock = new ManualClock();
  const { log, texts, lines } = recordingLog();
  return { clock, texts, lines, keeper: new ConcernKeeper(clock, log) };
}

it('says nothing of what does not last', async () => {
  const { clock, texts, keeper } = bench();
  expect(keeper.look([DOWN])).toBe(3_000);
  await clock.advance(2_000);
  expect(keeper.look([DOWN])).toBe(1_000);
  expect(keeper.look([])).toBeNull();
  await clock.advance(2_000);
  expect(keeper.look([DOWN])).toBe(3_000);
  expect(texts).toEqual([]);
  expect(keeper.concerns).toEqual([]);
});

it('says once what lasts, since when, and once when it is over', async () => {
  const { clock, lines, keeper } = bench();
  await clock.advance(1_000);
  keeper.look([DOWN]);
  await clock.advance(3_000);
  for (let look = 0; look < 3; look++) expect(keeper.look([DOWN])).toBeNull();
  const since = '1970-01-01T00:00:01.000Z';
  expect(keeper.concerns).toEqual([
    { kind: 'server-down', subject: 'b', since, text: 'b is down' },
  ]);
  await clock.advance(60_000);
  keeper.look([]);
  keeper.look([]);
  expect(lines).toMatchObject([
    { level: 40, msg: 'b is down', concern: 'server-down', subject: 'b' },
    { level: 30, msg: 'a concern is over', concern: 'server-down', subject: 'b', seconds: 63 },
  ]);
  expect(keeper.concerns).toEqual([]);
});

it('keeps the newest text, and tells one concern from another', async () => {
  const { clock, texts, keeper } = bench();
  const other = { ...DOWN, subject: 'c', text: 'c is down' };
  keeper.look([DOWN]);
  await clock.advance(1_000);
  keeper.look([other, DOWN]);
  await clock.advance(3_000);
  keeper.look([{ ...other, text: 'c is still down' }, DOWN]);
  expect(keeper.concerns.map(({ text }) => text)).toEqual(['b is down', 'c is still down']);
  expect(texts).toEqual(['c is still down', 'b is down']);
});

it('does not mind to be told one thing twice', async () => {
  const { clock, texts, keeper } = bench();
  keeper.look([DOWN, DOWN]);
  await clock.advance(3_000);
  keeper.look([DOWN, DOWN]);
  expect(texts).toEqual(['b is down']);
});
