import { expect, it } from 'vitest';
import { GivenOrders, REPEAT_MS } from '../../../src/ring/change/given-orders.ts';
import type { MergeCommand, Order } from '../../../src/ring/change/merge-order.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { server } from '../rings.ts';

const order = (command: MergeCommand, words = 'IN'): Order => ({ command, at: server('a', words) });

it('an order is given again when it had no effect for a while', async () => {
  const clock = new ManualClock();
  const given = new GivenOrders(clock);
  expect(given.isDue(order('SERVICEOUT'))).toBe(true);
  await clock.advance(REPEAT_MS - 1);
  expect(given.isDue(order('SERVICEOUT'))).toBe(false);
  await clock.advance(1);
  expect(given.isDue(order('SERVICEOUT'))).toBe(true);
});

it('it is another one when the server looks otherwise; to the whole ring it is the same', () => {
  const given = new GivenOrders(new ManualClock());
  expect(given.isDue(order('SERVICEOUT'))).toBe(true);
  expect(given.isDue(order('SERVICEOUT', 'IN DOWN'))).toBe(true);
  expect(given.isDue({ ...order('SERVICEOUT'), names: server('b', 'IN DOWN') })).toBe(true);
  expect(given.isDue(order('COMPMERGE'))).toBe(true);
  expect(given.isDue(order('COMPMERGE', 'IN Done'))).toBe(false);
});

it('a failure is said once a minute, and another one at once', async () => {
  const clock = new ManualClock();
  const given = new GivenOrders(clock);
  expect(given.isNews(order('MERGE'), 'refused')).toBe(true);
  await clock.advance(59_999);
  expect(given.isNews(order('MERGE'), 'refused')).toBe(false);
  expect(given.isNews(order('MERGE'), 'no answer')).toBe(true);
  expect(given.isNews(order('ABORTMERGE'), 'refused')).toBe(true);
  await clock.advance(1);
  expect(given.isNews(order('MERGE'), 'refused')).toBe(true);
});
