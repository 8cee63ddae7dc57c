import { expect, it } from 'vitest';
import { before } from '../../../src/ring/change/before.ts';
import { ManualClock } from '../../base/manual-clock.ts';

const silence = new Promise<string>(() => undefined);

it('waits for an answer until the deadline, and no longer', async () => {
  const clock = new ManualClock();
  await clock.advance(1_000);
  const late = expect(before(clock, 4_000, silence)).rejects.toThrow(
    'no answer before the time was up',
  );
  await clock.advance(2_999);
  await clock.advance(1);
  await late;
});

it('takes an answer, or a refusal, that comes in time', async () => {
  const clock = new ManualClock();
  expect(await before(clock, 10, Promise.resolve('SUCCEED'))).toBe('SUCCEED');
  await expect(before(clock, 10, Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});

it('waits for nothing when the deadline has passed', async () => {
  const clock = new ManualClock();
  await clock.advance(5_000);
  const late = expect(before(clock, 4_000, silence)).rejects.toThrow('before the time was up');
  await clock.advance(0);
  await late;
});
