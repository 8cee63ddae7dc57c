import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/node/plan/plan.ts';
import { ring } from '../../ring/rings.ts';
import { desiredState, observed, ROLE, TIMES, told, type Change } from '../builders.ts';

const COORDINATED = { ...TIMES, merge: 'coordinated' as const };

/** What node b does when it sees this, for so many milliseconds: `lead-merge join`, `wait`, `rest` … */
function step(statuses: string[], ms = 0, change: Change = {}): string {
  const next = plan(
    desiredState(),
    observed({
      status: ring('b', ...statuses),
      statusStableMs: ms,
      ringStillMs: ms,
      k2hdkc: { generation: desiredState().generation, runningMs: ms + 1_000 },
      role: { ...ROLE, servers: statuses.length },
      ...change,
    }),
    COORDINATED,
  );
  return told(next);
}

it.each<[string, string, string[], number?]>([
  ['joins a ring', 'lead-merge join', ['IN', 'OUT', 'IN']],
  ['waits beside one that is down', 'wait', ['IN', 'OUT', 'IN DOWN'], 60_000],
  ['… or without its k2hdkc', 'wait', ['IN', 'OUT', 'IN Suspend'], 60_000],
  ['is second to one before it', 'wait', ['OUT', 'OUT', 'IN']],
  ['does not wait for that one for ever', 'lead-merge join', ['OUT', 'OUT', 'IN'], 6_000],
  ['waits while another change runs', 'wait', ['IN ADD Pending', 'OUT', 'IN']],
  ['does not wait for it for ever', 'lead-merge join', ['IN ADD Pending', 'OUT', 'IN'], 60_000],
  ['waits for all of a new ring', 'wait', ['OUT DOWN', 'OUT', 'OUT']],
  [
    'makes a new ring without one that is away',
    'lead-merge join',
    ['OUT DOWN', 'OUT', 'OUT'],
    5_000,
  ],
  ['rests in a quiet ring', 'rest', ['IN', 'IN', 'IN']],
  ['rests beside one that is away', 'rest', ['IN', 'IN', 'IN DOWN']],
  ['merges alone when it is back', 'lead-merge finish', ['IN', 'IN Pending', 'IN'], 2_000],
  ['waits while another leads', 'wait', ['IN Doing', 'IN Doing', 'IN ADD Doing'], 30_000],
  ['takes over', 'lead-merge finish', ['IN Pending', 'IN Pending', 'IN ADD Pending'], 26_000],
  ['takes over in its turn', 'wait', ['IN Pending', 'IN Pending', 'IN ADD Pending'], 24_000],
  [
    'takes a merge over much later',
    'lead-merge finish',
    ['IN Doing', 'IN Doing', 'IN Doing'],
    306_000,
  ],
  ['goes back in', 'cure SERVICEIN', ['IN', 'IN DELETE Pending', 'IN ADD Pending'], 3_000],
  [
    'takes over a merge that hangs, although it was taken out',
    'lead-merge finish',
    ['IN Doing', 'IN DELETE Pending', 'IN Doing'],
    306_000,
  ],
  ['is led through SERVICEOUT', 'wait', ['IN', 'IN DELETE Pending', 'IN ADD Pending'], 100],
])('%s: %s', (_, expected, statuses, ms) => {
  expect(step(statuses, ms)).toBe(expected);
});

it('takes a server out that is down and no longer in the role, after a while', () => {
  const role = { ...ROLE, servers: 2, cuks: new Set(['cuk-a', 'cuk-b']) };
  expect(step(['IN', 'IN', 'IN DOWN'], 24_000, { role })).toBe('rest');
  expect(step(['IN', 'IN', 'IN DOWN'], 26_000, { role })).toBe('lead-merge finish');
  const beside = ['IN DOWN', 'IN', 'IN DOWN'];
  expect(step(beside, 60_000, { role }), 'a is in the role, and down').toBe('rest');
});

it('is not back when a merge was aborted: its k2hdkc runs for long', () => {
  const k2hdkc = { generation: desiredState().generation, runningMs: 60_000 };
  const all = ['IN Pending', 'IN Pending', 'IN Pending'];
  expect(step(all, 2_000, { k2hdkc })).toBe('wait');
  expect(step(all, 26_000, { k2hdkc })).toBe('lead-merge finish');
  expect(step(all, 2_000, { k2hdkc: { ...k2hdkc, runningMs: 3_000 } })).toBe('lead-merge finish');
});

it('starts its programs again, at once, when it hung and the merge was aborted', () => {
  const statuses = ['IN Pending', 'IN Pending', 'IN ADD Pending'];
  expect(step(statuses, 0, { mergeHung: true })).toBe('restart-pair');
});

it('starts its programs again, in its turn, when it hung in a merge that was undone', () => {
  expect(step(['IN', 'IN', 'OUT'], 9_000, { mergeHung: true })).toBe('rest');
  expect(step(['IN', 'IN', 'OUT'], 11_000, { mergeHung: true })).toBe('restart-pair');
});

it('starts its programs again, at once, when it led a join in which it hung itself', () => {
  const change = { mergeHung: true, joinRetryInMs: 45_000 };
  expect(step(['IN', 'OUT', 'IN'], 0, change)).toBe('restart-pair');
  expect(step(['IN Doing', 'OUT', 'IN'], 0, change)).toBe('wait');
});

it('starts its programs again when it hangs', () => {
  expect(step(['IN', 'IN Doing', 'IN'], 0)).toBe('wait');
  expect(step(['IN', 'IN Doing', 'IN'], 0, { mergeHangs: true })).toBe('restart-pair');
  const all = ['IN Doing', 'IN Doing', 'IN ADD Doing'];
  expect(step(all, 0, { mergeHangs: true })).toBe('restart-pair');
});

it('moves its turn by jitter, but never that of the first', () => {
  const late = { tieJitter: 0.5 };
  expect(step(['OUT', 'OUT', 'IN'], 5_400)).toBe('lead-merge join');
  expect(step(['OUT', 'OUT', 'IN'], 5_400, late)).toBe('wait');
  expect(step(['OUT', 'OUT', 'IN'], 5_600, late)).toBe('lead-merge join');
  expect(step(['IN', 'OUT', 'OUT'], 0, late)).toBe('lead-merge join');
});

it('two that are back take turns, one alone does not wait', () => {
  expect(step(['IN', 'IN Pending', 'IN'], 0)).toBe('lead-merge finish');
  expect(step(['IN Pending', 'IN Pending', 'IN'], 900)).toBe('wait');
  expect(step(['IN Pending', 'IN Pending', 'IN'], 1_400, { tieJitter: 0.5 })).toBe('wait');
  expect(step(['IN Pending', 'IN Pending', 'IN'], 1_600, { tieJitter: 0.5 })).toBe(
    'lead-merge finish',
  );
});

it('pauses after a join that was undone', () => {
  expect(step(['IN', 'OUT', 'IN'], 60_000, { joinRetryInMs: 700 })).toBe('wait');
});

describe('a ring that is made without servers that it had', () => {
  const cuks = new Set(['cuk-a', 'cuk-b', 'cuk-c']);
  const role = { ...ROLE, servers: 3, cuks };

  it.each<[string, string, string[], Set<string>, Set<string>]>([
    ['waits for one that is down', 'wait', ['OUT DOWN', 'OUT', 'OUT'], cuks, cuks],
    ['… that runs without its k2hdkc', 'wait', ['OUT Suspend', 'OUT', 'OUT'], cuks, cuks],
    ['… when it sees nobody at all', 'wait', ['OUT DOWN', 'OUT', 'OUT DOWN'], cuks, cuks],
    ['goes on when all are there', 'lead-merge join', ['OUT', 'OUT', 'OUT'], cuks, cuks],
    [
      '… or out of the role',
      'lead-merge join',
      ['OUT DOWN', 'OUT', 'OUT'],
      cuks,
      new Set(['cuk-b']),
    ],
    [
      '… or were never in it',
      'lead-merge join',
      ['OUT DOWN', 'OUT', 'OUT'],
      new Set(['cuk-b']),
      cuks,
    ],
    ['joins a ring that there is', 'lead-merge join', ['IN', 'OUT', 'OUT DOWN'], cuks, cuks],
  ])('%s: %s', (_, expected, statuses, members, inRole) => {
    const change = { members, role: { ...role, cuks: inRole } };
    expect(step(statuses, 600_000, change)).toBe(expected);
  });

  it('names whom it misses', () => {
    const next = plan(
      desiredState(),
      observed({ status: ring('b', 'OUT DOWN', 'OUT', 'OUT DOWN'), members: cuks, role }),
      COORDINATED,
    );
    expect(next.why).toContain('making no ring without a, c');
  });
});

it('a lone server makes its ring', () => {
  const change: Change = { role: ROLE };
  expect(step(['OUT DOWN', 'OUT'], 0, change)).toBe('lead-merge join');
});

it('leads nothing in a ring in which nothing is to be done', () => {
  expect(step(['IN', 'IN', 'IN'], 600_000)).toBe('rest');
});

it('goes back in when it was taken out for more than 2 s, and not while its data moves', () => {
  const between = ['IN', 'IN DELETE Pending', 'IN ADD Pending'];
  expect(step(between, 2_000)).toBe('wait');
  expect(step(between, 2_001)).toBe('cure SERVICEIN');
  expect(step(['IN Doing', 'IN DELETE Doing', 'IN'], 3_000)).toBe('wait');
});

it('is back for 10 s after its k2hdkc has started, when nobody else merges', () => {
  const back = (runningMs: number, stableMs: number, words: string[]): string => {
    const k2hdkc = { generation: desiredState().generation, runningMs };
    return step(words, stableMs, { k2hdkc });
  };
  const own = ['IN', 'IN Pending', 'IN'];
  expect(back(12_000, 2_001, own)).toBe('lead-merge finish');
  expect(back(12_000, 2_000, own)).toBe('wait');
  expect(back(3_000, 2_000, ['IN Doing', 'IN Pending', 'IN'])).toBe('wait');
  expect(back(3_000, 2_000, ['IN Pending', 'IN', 'IN']), 'another is back').toBe('wait');
});

it('joins in its turn, counted from its own status and from the last movement in the ring', () => {
  const two = ['OUT', 'OUT', 'IN'];
  expect(step(two, 60_000, { ringStillMs: 1_000 })).toBe('wait');
  expect(step(two, 60_000, { statusStableMs: 1_000 })).toBe('wait');
  expect(step(two, 60_000)).toBe('lead-merge join');
});
