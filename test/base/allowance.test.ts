import { expect, it } from 'vitest';
import { Allowance } from '../../src/base/allowance.ts';
import { ManualClock } from './manual-clock.ts';

it('allows so many in each period, and none on credit', async () => {
  const clock = new ManualClock();
  const allowance = new Allowance(2, 1_000, clock);
  const three = (): boolean[] => [1, 2, 3].map(() => allowance.take());
  expect(three()).toEqual([true, true, false]);
  await clock.advance(999);
  expect(allowance.take()).toBe(false);
  await clock.advance(1);
  expect(three()).toEqual([true, true, false]);
});
