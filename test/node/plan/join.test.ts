import { describe, expect, it } from 'vitest';
import { planJoin, planK2hdkc } from '../../../src/node/plan/join.ts';
import { ring } from '../../ring/rings.ts';
import { desiredState, observed, TIMES, told, type Change } from '../builders.ts';

/** What node b does with its k2hdkc, all statuses being the same for so long (ms). */
function start(statuses: string[], ms: number, change: Change = {}, times = TIMES) {
  const step = planK2hdkc(
    ring('b', ...statuses),
    desiredState(),
    observed({ statusStableMs: ms, ringStillMs: ms, ...change }),
    times,
  );
  return `${told(step)}: ${step.why}`;
}

const STARTS = 'start-k2hdkc: k2hdkc does not run';
const ANYWAY = 'start-k2hdkc: another change of the ring does not end: joining anyway';
const BUSY = 'wait: another change of the ring runs';
const SECOND = 'wait: a server before this one joins first';

it.each<[string, string, string[], number]>([
  ['joins a quiet ring', STARTS, ['IN', 'OUT Suspend', 'IN'], 0],
  ['waits while another joins', BUSY, ['IN', 'OUT Suspend', 'IN ADD Doing'], 59_000],
  ['lets one that hangs start again first', BUSY, ['IN', 'OUT Suspend', 'IN ADD Doing'], 64_000],
  ['waits while another leaves', BUSY, ['IN DELETE Doing', 'OUT Suspend', 'IN'], 59_000],
  ['waits while one that is back merges', BUSY, ['IN Pending', 'OUT Suspend', 'IN'], 0],
  ['does not wait for ever', ANYWAY, ['IN', 'OUT Suspend', 'IN ADD Doing'], 65_000],
  ['does so in turn', BUSY, ['OUT Suspend', 'OUT Suspend', 'IN ADD Doing'], 69_000],
  ['and not for ever', ANYWAY, ['OUT Suspend', 'OUT Suspend', 'IN ADD Doing'], 70_000],
  ['is second to one that is at the same point', SECOND, ['OUT Suspend', 'OUT Suspend'], 4_900],
  ['does not wait for that one for ever', STARTS, ['OUT Suspend', 'OUT Suspend'], 5_100],
  ['is first among those', STARTS, ['IN', 'OUT Suspend', 'OUT Suspend'], 0],
  ['does not wait for one that is down', STARTS, ['OUT DOWN Suspend', 'OUT Suspend'], 0],
  ['does not wait for one that keeps its place', STARTS, ['IN Suspend', 'OUT Suspend'], 0],
  ['does not wait for one that has left', STARTS, ['OUT', 'OUT Suspend', 'IN'], 0],
  ['keeps its place whatever others do', STARTS, ['IN ADD Doing', 'IN Suspend', 'IN'], 0],
])('%s', (_, expected, statuses, ms) => {
  expect(start(statuses, ms)).toBe(expected);
});

it('moves its turn by jitter', () => {
  const both = ['OUT Suspend', 'OUT Suspend'];
  expect(start(both, 5_400, { tieJitter: 0.5 })).toBe(SECOND);
  expect(start(both, 5_600, { tieJitter: 0.5 })).toBe(STARTS);
});

it('counts its turn from the last movement in the ring: not all who waited start together', () => {
  const both = ['OUT Suspend', 'OUT Suspend', 'IN'];
  expect(start(both, 60_000, { ringStillMs: 1_000 })).toBe(SECOND);
  expect(start(both, 60_000, { ringStillMs: 5_100 })).toBe(STARTS);
  const busy = ['IN', 'OUT Suspend', 'IN ADD Doing'];
  expect(start(busy, 90_000, { ringStillMs: 4_900 })).toBe(BUSY);
  expect(start(busy, 65_000, { ringStillMs: 5_100 }), 'the wait has a bound').toBe(ANYWAY);
});

it('waits for nobody when joins are led by the agents', () => {
  const times = { ...TIMES, merge: 'coordinated' as const };
  expect(start(['IN', 'OUT Suspend', 'IN ADD Doing'], 0, {}, times)).toBe(STARTS);
});

it('sends no SERVICEIN into the change of another before the wait for it is over', () => {
  const stuckBy = (ms: number, ringStillMs: number, ...words: string[]): string => {
    const seen = observed({ statusStableMs: ms, ringStillMs });
    const step = planJoin(ring('b', ...words), seen, 10_000, TIMES);
    return told(step);
  };
  const stuck = (ms: number, ...words: string[]): string => stuckBy(ms, ms, ...words);
  expect(stuck(5_100, 'IN', 'OUT')).toBe('cure SERVICEIN');
  expect(stuck(5_100, 'IN ADD Doing', 'OUT')).toBe('wait');
  expect(stuck(64_900, 'IN ADD Doing', 'OUT')).toBe('wait');
  expect(stuck(65_100, 'IN ADD Doing', 'OUT')).toBe('cure SERVICEIN');
  expect(stuckBy(65_100, 4_900, 'IN ADD Doing', 'OUT'), 'its turn').toBe('wait');
  expect(stuckBy(65_100, 5_100, 'IN ADD Doing', 'OUT')).toBe('cure SERVICEIN');
  expect(stuck(5_100, 'OUT', 'OUT')).toBe('wait');
  expect(stuck(10_100, 'OUT', 'OUT')).toBe('cure SERVICEIN');
});

describe('what does not move', () => {
  const LONG = TIMES.startTimeoutMs + 1;
  const join = (words: string[], still: number, runningMs: number, change: Change = {}): string => {
    const seen = observed({ statusStableMs: still, ringStillMs: still, ...change });
    return told(planJoin(ring('b', ...words), seen, runningMs, TIMES));
  };

  it.each<[string, string, string[], number, number, Change?]>([
    ['starts again', 'restart-pair', ['IN', 'IN ADD Doing'], LONG, LONG],
    ['not when it has just moved', 'wait', ['IN', 'IN ADD Doing'], 1_000, LONG],
    ['not when k2hdkc has just started', 'wait', ['IN', 'IN ADD Doing'], LONG, 1_000],
    ['a cure was of no use', 'restart-pair', ['IN', 'OUT'], LONG, LONG, { cureSentMs: 9_000 }],
    ['it waits for others who are Done', 'wait', ['IN Done', 'IN Pending'], LONG, LONG],
    ['it is Done itself', 'restart-pair', ['IN Done', 'IN Done'], LONG, LONG],
    ['half way in', 'wait', ['IN', 'OUT ADD Pending'], 90_000, 10_000],
  ])('%s: %s', (_, expected, words, still, runningMs, change) => {
    expect(join(words, still, runningMs, change)).toBe(expected);
  });
});
