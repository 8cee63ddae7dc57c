import { expect, it } from 'vitest';
import { GiveInTries } from '../../../src/ring/watch/give-in.ts';
import { ManualClock } from '../../base/manual-clock.ts';

const FIRST_MS = 20_000;
const LONGEST_MS = 900_000;

function bench() {
  const clock = new ManualClock();
  return { clock, tries: new GiveInTries(FIRST_MS, clock) };
}

it('waits twice as long after each try, up to a quarter of an hour', () => {
  const { tries } = bench();
  const patience: number[] = [];
  for (let n = 0; n < 8; n++) {
    patience.push(tries.patienceMs);
    tries.tried();
  }
  expect(patience).toEqual([
    ...[20_000, 40_000, 80_000, 160_000, 320_000, 640_000],
    ...[LONGEST_MS, LONGEST_MS],
  ]);
  expect(tries.count).toBe(8);
});

it('counts from the beginning when all has been well since long after the last try', async () => {
  const { clock, tries } = bench();
  tries.tried();
  await clock.advance(LONGEST_MS - 1);
  tries.tried();
  await clock.advance(LONGEST_MS);
  tries.calm();
  expect([tries.count, tries.patienceMs]).toEqual([2, 80_000]);
  await clock.advance(1);
  expect(tries.count).toBe(2);
  tries.calm();
  expect([tries.count, tries.patienceMs]).toEqual([0, FIRST_MS]);
});
