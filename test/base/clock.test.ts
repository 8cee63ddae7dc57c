import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { WatchedClock } from './watched-clock.ts';

/** Tells whether a promise has settled by now. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const watched = { settled: false };
  void promise.finally(() => {
    watched.settled = true;
  });
  return watched;
}

describe('sleep', () => {
  it('wakes after its time and not before', async () => {
    const clock = new WatchedClock();
    const sleeper = watch(sleep(clock, 100));
    await clock.advance(99);
    expect(sleeper.settled).toBe(false);
    await clock.advance(1);
    expect(sleeper.settled).toBe(true);
  });

  it('wakes at once when it is aborted, and leaves no timer', async () => {
    const clock = new WatchedClock();
    const stop = new AbortController();
    const sleeping = sleep(clock, 100, stop.signal);
    expect(clock.delays).toEqual([100]);
    stop.abort();
    await sleeping;
    expect(clock.delays).toEqual([]);
  });

  it('does not begin when it is aborted already', async () => {
    const clock = new WatchedClock();
    await sleep(clock, 100, AbortSignal.abort());
    expect(clock.delays).toEqual([]);
  });
});

describe('systemClock', () => {
  it('runs what is due in its order, and not what was cancelled', async () => {
    const ran: string[] = [];
    await new Promise<void>((resolve) => {
      systemClock.after(20, () => {
        ran.push('late');
        resolve();
      });
      const cancel = systemClock.after(5, () => ran.push('cancelled'));
      systemClock.after(1, () => ran.push('early'));
      cancel();
      cancel();
    });
    expect(ran).toEqual(['early', 'late']);
  });

  it('does not run at once what is due in a month', async () => {
    const ran: string[] = [];
    const month = 31 * 24 * 3_600_000;
    const cancel = systemClock.after(month, () => ran.push('a month'));
    await new Promise<void>((resolve) => systemClock.after(20, resolve));
    cancel();
    expect(ran).toEqual([]);
  });

  it('shows the wall clock, and a monotonic time that goes on', () => {
    const before = Date.now();
    expect(systemClock.wall()).toBeGreaterThanOrEqual(before);
    const start = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(start);
  });
});
