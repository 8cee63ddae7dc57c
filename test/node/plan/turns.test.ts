import { expect, it } from 'vitest';
import { turnMs } from '../../../src/node/plan/turns.ts';

it.each<[number, number, number]>([
  [-1, 0.9, 0],
  [0, 0.9, 0],
  [1, 0, 5_000],
  [1, 0.5, 5_500],
  [2, 0.999, 10_999],
])('place %s with jitter %s: %s ms', (place, jitter, expected) => {
  expect(turnMs(place, jitter)).toBe(expected);
});

it('never lets two change places', () => {
  expect(turnMs(1, 0.999)).toBeLessThan(turnMs(2, 0));
  expect(turnMs(1, 0.999, 1_000)).toBeLessThan(turnMs(2, 0, 1_000));
});
