import { expect, it } from 'vitest';
import { Seldom } from '../../src/base/seldom.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { ManualClock } from './manual-clock.ts';

function bench() {
  const clock = new ManualClock();
  const { log, lines } = recordingLog();
  return { clock, seldom: new Seldom(clock, log), lines };
}

it('writes ten lines of a kind a minute, and counts the rest with the newest', async () => {
  const { clock, seldom, lines } = bench();
  for (let n = 1; n <= 5_000; n++) seldom.warn({ n }, 'refused');
  expect(lines.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await clock.advance(60_000);
  expect(lines.slice(10)).toMatchObject([{ msg: 'refused', n: 5_000, more: 4_990, inAll: 5_000 }]);
});

it('says nothing after a minute in which all was written, and then counts again', async () => {
  const { clock, seldom, lines } = bench();
  seldom.warn({ n: 1 }, 'refused');
  await clock.advance(60_000);
  expect(lines).toHaveLength(1);
  for (let n = 0; n < 11; n++) seldom.warn({ n }, 'refused');
  await clock.advance(60_000);
  expect(lines.at(-1)).toMatchObject({ more: 1, inAll: 12 });
  expect(lines).toHaveLength(12);
});

it('keeps no kind from being written because of another', () => {
  const { seldom, lines } = bench();
  for (let n = 0; n < 100; n++) seldom.warn({}, 'one');
  seldom.warn({}, 'other');
  expect(lines.at(-1)).toMatchObject({ msg: 'other' });
});
