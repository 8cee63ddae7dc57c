import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { SentClock } from '../../src/trove/sent-clock.ts';

/** A wall clock that shows the given milliseconds one after the other, then the last for ever. */
function wallClock(...times: number[]): Clock {
  const last = times.at(-1) ?? 0;
  return {
    wall: () => times.shift() ?? last,
    monotonic: () => 0,
    after: () => () => undefined,
  };
}

const NOW = 1795360718440.115;

describe('SentClock', () => {
  it('gives wall clock seconds with microseconds', () => {
    expect(new SentClock(wallClock(NOW)).next()).toBe(1795360718.440115);
  });

  it('strictly increases while the clock stands still', () => {
    const clock = new SentClock(wallClock(NOW));
    const values = Array.from({ length: 1000 }, () => clock.next());
    for (const [n, value] of values.slice(1).entries())
      expect(value).toBeGreaterThan(values[n] ?? NaN);
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(1000);
  });

  it('goes on from the last value when the clock steps back, until it has caught up', () => {
    const clock = new SentClock(wallClock(NOW, NOW - 3_600_000, NOW + 5000));
    expect([clock.next(), clock.next(), clock.next()]).toEqual([
      1795360718.440115, 1795360718.440116, 1795360723.440115,
    ]);
  });

  it('continues over a restart of the agent', () => {
    const before = new SentClock(wallClock(NOW));
    before.next();
    const after = new SentClock(wallClock(NOW - 60_000), before.last);
    expect(after.next()).toBe(1795360718.440116);
    expect(after.last).toBe(1795360718.440116);
  });

  it('has no last value before the first', () => {
    expect(new SentClock(wallClock(NOW)).last).toBe(0);
  });
});
