import { describe, expect, it } from 'vitest';
import { Backoff, type BackoffOptions } from '../../src/base/backoff.ts';

/** The first delays of a series; `random` is 0.5 for none of the jitter. */
function delays(count: number, options: BackoffOptions, random = 0.5): number[] {
  const backoff = new Backoff(options, () => random);
  return Array.from({ length: count }, () => backoff.next());
}

describe('Backoff', () => {
  it('doubles from the first delay up to the cap', () => {
    expect(delays(5, { first: 100, cap: 500 })).toEqual([100, 200, 400, 500, 500]);
  });

  it('retries at once first, then after the second delay and longer ones', () => {
    expect(delays(5, { first: 0, second: 500, cap: 3_000 })).toEqual([0, 500, 1_000, 2_000, 3_000]);
  });

  it('grows by the factor that it is told', () => {
    expect(delays(3, { first: 10, factor: 3, cap: 1_000 })).toEqual([10, 30, 90]);
  });

  it('stays at the cap after very many failures', () => {
    expect(delays(5_000, { first: 100, cap: 500 }).at(-1)).toBe(500);
  });

  it('takes the later cap when it has been failing for long enough', () => {
    const later = { after: 60_000, cap: 2_000 };
    const backoff = new Backoff({ first: 400, cap: 500, later }, () => 0.5);
    const failingFor = [0, 400, 59_999, 60_000, 62_000];
    expect(failingFor.map((ms) => backoff.next(ms))).toEqual([400, 500, 500, 2_000, 2_000]);
  });

  it('moves each delay by the jitter, up or down', () => {
    expect(delays(1, { first: 100, cap: 500 }, 0)).toEqual([80]);
    expect(delays(1, { first: 100, cap: 500, jitter: 0.5 }, 0)).toEqual([50]);
    expect(delays(1, { first: 100, cap: 500, jitter: 0.5 }, 0.75)).toEqual([125]);
    expect(delays(1, { first: 0, second: 500, cap: 500 }, 0)).toEqual([0]);
  });

  it('counts its failures and starts over after a success', () => {
    const backoff = new Backoff({ first: 100, cap: 500 }, () => 0.5);
    backoff.next();
    backoff.next();
    expect(backoff.failures).toBe(2);
    backoff.reset();
    expect(backoff.failures).toBe(0);
    expect(backoff.next()).toBe(100);
  });
});
