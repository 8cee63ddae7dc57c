import { describe, expect, it } from 'vitest';
import { chmpxStarts, quietBeforeStart } from '../../../src/node/plan/quiet-before-start.ts';
import type { NeighbourView } from '../../../src/ring/neighbours.ts';
import { IN, observed, ringStatus, ROLE, RUNS, TIMES } from '../builders.ts';

const NONE: NeighbourView = { up: 0, absentBefore: 0, unaware: 0, settledMs: 60_000 };
const roleOf = (servers: number, ringStableMs: number) => ({ ...ROLE, servers, ringStableMs });

describe('quietBeforeStart', () => {
  it('has a ring of two stand still first, and a ring of one not', () => {
    const moved = { why: 'the ring has just changed', ms: 600 };
    expect(quietBeforeStart(roleOf(2, 400), NONE, TIMES)).toEqual(moved);
    expect(quietBeforeStart(roleOf(1, 400), NONE, TIMES)).toBeNull();
  });

  it('has a slave wait for the only server too, until that must know it', () => {
    const unaware = { ...NONE, up: 1, unaware: 1 };
    const first = { why: 'servers that run must know this node first', ms: 50 };
    expect(quietBeforeStart(roleOf(1, 60_000), unaware, TIMES, 'slave')).toEqual(first);
    expect(quietBeforeStart(roleOf(1, 60_000), { ...NONE, up: 1 }, TIMES, 'slave')).toBeNull();
    expect(quietBeforeStart(roleOf(1, 60_000), unaware, TIMES, 'server')).toBeNull();
  });

  it('has the servers before this one start first, unless joins are led by the agents', () => {
    const before = { ...NONE, absentBefore: 2 };
    const others = { why: 'the servers before this one start first', ms: 3_000 };
    expect(quietBeforeStart(roleOf(3, 1_000), before, TIMES)).toEqual(others);
    const led = { ...TIMES, merge: 'coordinated' as const };
    expect(quietBeforeStart(roleOf(3, 1_000), before, led)).toBeNull();
    expect(quietBeforeStart(roleOf(3, 400), before, led)).toMatchObject({ ms: 600 });
  });
});

it('chmpxStarts: for 5 s, unless it is up earlier', () => {
  const after = (runningMs: number, status = observed({ status: null }).seen.status): boolean =>
    chmpxStarts(observed({ chmpx: { ...RUNS, runningMs }, status }));
  expect(after(4_999)).toBe(true);
  expect(after(5_000)).toBe(false);
  expect(after(4_999, ringStatus(IN))).toBe(false);
  expect(chmpxStarts(observed({ chmpx: null, status: null }))).toBe(false);
});
