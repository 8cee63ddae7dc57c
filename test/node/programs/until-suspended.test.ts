import { expect, it } from 'vitest';
import { untilSuspended } from '../../../src/node/programs/until-suspended.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ALONE, IN, ringStatus } from '../builders.ts';

/** Waits with these looks, of which the last one repeats; tells how many were taken. */
async function looksTaken(...looks: (RingStatus | null)[]): Promise<number> {
  const clock = new ManualClock();
  let taken = 0;
  const look = (): Promise<RingStatus | null> =>
    Promise.resolve(looks[Math.min(taken++, looks.length - 1)] ?? null);
  let isOver = false;
  const waiting = untilSuspended({ sight: { look }, pollMs: 500, clock }).then(() => {
    isOver = true;
  });
  await clock.advance(10_000);
  expect(isOver).toBe(true);
  await waiting;
  return taken;
}

it('is over when chmpx shows Suspend', async () => {
  expect(await looksTaken(ringStatus(ALONE))).toBe(1);
  expect(await looksTaken(ringStatus(IN), ringStatus(IN), ringStatus(ALONE))).toBe(3);
});

it('is over when chmpx is gone too', async () => {
  expect(await looksTaken(ringStatus(IN), null)).toBe(2);
});

it('is not another server that shows Suspend, and is over at last anyway', async () => {
  expect(await looksTaken(ringStatus(IN, ALONE))).toBe(4);
});
