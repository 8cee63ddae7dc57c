import { expect, it } from 'vitest';
import { Backoff } from '../../../src/base/backoff.ts';
import { JoinRetry } from '../../../src/ring/change/join-retry.ts';
import { ManualClock } from '../../base/manual-clock.ts';

function bench() {
  const clock = new ManualClock();
  const backoff = new Backoff({ first: 45_000, cap: 900_000 }, () => 0.5);
  return { clock, retry: new JoinRetry(backoff, clock) };
}

it('does not wait before the first try', () => {
  expect(bench().retry.inMs).toBe(0);
});

it('waits after a join that was undone, and longer after the next one', async () => {
  const { clock, retry } = bench();
  retry.undone(false);
  expect(retry.inMs).toBe(45_000);
  await clock.advance(44_000);
  expect(retry.inMs).toBe(1_000);
  await clock.advance(2_000);
  expect(retry.inMs).toBe(0);
  retry.undone(false);
  expect(retry.inMs).toBe(90_000);
});

it('goes on at once after it hung itself, once', () => {
  const { retry } = bench();
  retry.undone(true);
  expect(retry.inMs).toBe(0);
  retry.undone(true);
  expect(retry.inMs).toBe(45_000);
});

it('begins again with all that after it has joined', () => {
  const { retry } = bench();
  retry.undone(false);
  retry.joined();
  retry.undone(true);
  expect(retry.inMs).toBe(0);
  retry.undone(false);
  expect(retry.inMs).toBe(45_000);
});
