import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/node/observed.ts';
import { plan } from '../../../src/node/plan/plan.ts';
import type { RollView } from '../../../src/node/programs/roll-watch.ts';
import { IDLE, type Leave } from '../../../src/ring/change/leave.ts';
import {
  alter,
  desiredState,
  IN,
  JOINING,
  LEFT,
  nothingRuns,
  observed,
  OUT,
  refused,
  ringStatus,
  ROLE,
  RUNS,
  TIMES,
  told,
  type Change,
} from '../builders.ts';

const ROLL: RollView = { keys: ['[K2HDKC] MAXTHREAD'], waitedMs: 3_000, before: 0 };
const KEEPS_PLACE = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';
const GONE = '[SERVICE OUT][UP][n/a][Nothing][Suspend]';
const SUSPENDED = '[SERVICE IN][UP][n/a][Nothing][Suspend]';
const DOWN = '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]';
const LEAVING = '[SERVICE IN][UP][DELETE][Doing][NoSuspend]';
const role = { ...ROLE, servers: 3 };
const ROLE_OF_NONE = { ...ROLE, servers: 0 };

function inRing(roll: RollView, change: Change = {}): Observed {
  return observed({ roll, role, status: ringStatus(IN, IN, IN), ...change });
}

/** Its k2hdkc is gone, in its turn. */
const crashedOf = (crashes: number, leave: Leave = IDLE): Observed =>
  inRing(ROLL, {
    status: ringStatus(SUSPENDED, IN, IN),
    k2hdkc: null,
    crashes,
    leave,
  });

function stepOf(seen: Observed, mode: 'server' | 'slave' = 'server'): string {
  const step = plan(desiredState({ mode }), seen, TIMES);
  return told(step);
}

describe('a new ini with keys that count from a start on', () => {
  it.each<[string, Observed, string]>([
    ['in a ring that is quiet', inRing(ROLL), 'leave-ring restart'],
    ['on the last server', inRing(ROLL, { status: ringStatus(IN) }), 'leave-ring restart'],
    [
      'on the last server, which had nothing to leave',
      inRing(ROLL, { status: ringStatus(IN), leave: LEFT }),
      'stop-k2hdkc',
    ],
    [
      'in the ring again, having left it for a change that was taken back',
      inRing({ ...ROLL, waitedMs: 0 }, { leave: LEFT }),
      'wait',
    ],
    [
      'when the others are out of the ring for good',
      inRing(
        { ...ROLL, waitedMs: 61_000 },
        { status: ringStatus(IN, DOWN, DOWN), ringStillMs: 61_000 },
      ),
      'leave-ring restart',
    ],
    ['just read', inRing({ ...ROLL, waitedMs: 2_000 }), 'wait'],
    [
      'on the only server, just read',
      observed({ roll: { ...ROLL, waitedMs: 0 } }),
      'leave-ring restart',
    ],
    ['when the ring moved just now', inRing(ROLL, { ringStillMs: 2_000 }), 'wait'],
    ['with a server that goes before', inRing({ ...ROLL, before: 1, waitedMs: 9_000 }), 'wait'],
    [
      'with a server that had its turn and let it pass',
      inRing({ ...ROLL, before: 1, waitedMs: 9_500 }),
      'leave-ring restart',
    ],
    [
      'while another is without k2hdkc',
      inRing({ ...ROLL, waitedMs: 30_000 }, { status: ringStatus(IN, SUSPENDED, IN) }),
      'wait',
    ],
    [
      'while another leaves',
      inRing({ ...ROLL, waitedMs: 30_000 }, { status: ringStatus(IN, LEAVING, IN) }),
      'wait',
    ],
    [
      'while another joins',
      inRing({ ...ROLL, waitedMs: 30_000 }, { status: ringStatus(IN, JOINING, IN) }),
      'wait',
    ],
    [
      'while another is down for a minute',
      inRing(
        { ...ROLL, waitedMs: 61_000 },
        { status: ringStatus(IN, IN, DOWN), ringStillMs: 61_000 },
      ),
      'leave-ring restart',
    ],
    [
      'while another is down and keeps its place, for however long',
      inRing(
        { ...ROLL, waitedMs: 900_000 },
        { status: ringStatus(IN, IN, KEEPS_PLACE), ringStillMs: 900_000 },
      ),
      'wait',
    ],
    [
      'in a ring that never comes to rest',
      inRing({ ...ROLL, waitedMs: 181_000, before: 2 }, { ringStillMs: 100 }),
      'leave-ring restart',
    ],
    [
      'half way out, by an agent before this one',
      inRing({ ...ROLL, before: 2 }, { status: ringStatus(LEAVING, IN, IN) }),
      'wait',
    ],
    [
      'in a moment outside that a merge of others makes',
      inRing(ROLL, {
        status: ringStatus(OUT, IN, IN),
        statusStableMs: 300,
        ringStillMs: 300,
      }),
      'wait',
    ],
    [
      'when a merge has all others outside for a moment',
      inRing(ROLL, { status: ringStatus(IN, OUT, OUT), statusStableMs: 300 }),
      'wait',
    ],
    [
      'out of the ring',
      inRing({ ...ROLL, before: 2 }, { status: ringStatus(OUT, IN, IN), leave: LEFT }),
      'stop-k2hdkc',
    ],
    [
      'out of the ring, by an agent before this one',
      inRing({ ...ROLL, before: 2, waitedMs: 0 }, { status: ringStatus(OUT, IN, IN) }),
      'leave-ring restart',
    ],
    [
      'half stopped',
      inRing(ROLL, { status: ringStatus(GONE, IN, IN), k2hdkc: null, leave: LEFT }),
      'stop-chmpx',
    ],
    [
      'not yet published as far as it can be',
      inRing({ ...ROLL, before: 1 }, { iniPublished: false }),
      'publish-ini',
    ],
    ['when the status is not known', inRing(ROLL, { status: null }), 'wait'],
    [
      'when the ring could not be left, until that is forgotten',
      inRing(
        { ...ROLL, waitedMs: 900_000 },
        { leave: refused('the merge did not end', 'restart') },
      ),
      'wait',
    ],
    [
      'when it could not be left, and k2hdkc is gone',
      crashedOf(1, refused('still in', 'restart')),
      'start-k2hdkc',
    ],
    ['when k2hdkc has crashed', crashedOf(1), 'start-k2hdkc'],
    ['when k2hdkc crashes again and again', crashedOf(2), 'stop-chmpx'],
    ['when chmpx is gone', inRing(ROLL, { chmpx: null, status: null }), 'stop-k2hdkc'],
    ['while it joins', inRing(ROLL, { status: ringStatus(JOINING, IN, IN) }), 'wait'],
    [
      'while it joins after crashes, however late it is',
      inRing({ ...ROLL, waitedMs: 900_000 }, { status: ringStatus(JOINING, IN, IN), crashes: 2 }),
      'wait',
    ],
    ['when both are stopped', nothingRuns({ roll: ROLL, role, leave: LEFT }), 'start-chmpx'],
    ['just before its turn', inRing({ ...ROLL, before: 1, waitedMs: 9_449 }), 'wait'],
    ['in its turn', inRing({ ...ROLL, before: 1, waitedMs: 9_450 }), 'leave-ring restart'],
    [
      'outside for 2 s, which a merge of others can make',
      inRing(ROLL, { status: ringStatus(OUT, IN, IN), statusStableMs: 2_000 }),
      'wait',
    ],
    [
      'outside for longer',
      inRing(ROLL, { status: ringStatus(OUT, IN, IN), statusStableMs: 2_001 }),
      'leave-ring restart',
    ],
    [
      'while one of the others is not in service',
      inRing(
        { ...ROLL, waitedMs: 59_000 },
        { status: ringStatus(IN, OUT, IN), ringStillMs: 59_000 },
      ),
      'wait',
    ],
    [
      'in a ring that does not come to rest, for a minute for each server',
      inRing({ ...ROLL, waitedMs: 179_999, before: 2 }, { ringStillMs: 100 }),
      'wait',
    ],
    [
      'in a ring that the role does not have, for a minute',
      inRing({ ...ROLL, waitedMs: 59_999 }, { role: ROLE_OF_NONE, ringStillMs: 100 }),
      'wait',
    ],
    [
      '… and no longer',
      inRing({ ...ROLL, waitedMs: 60_000 }, { role: ROLE_OF_NONE, ringStillMs: 100 }),
      'leave-ring restart',
    ],
  ])('%s', (_, seen, expected) => {
    expect(stepOf(seen)).toBe(expected);
  });

  it('restarts a slave at once', () => {
    const status = ringStatus('[SLAVE][UP][n/a][Nothing][NoSuspend]', IN, IN);
    const slave = inRing({ ...ROLL, waitedMs: 0 }, { status, k2hdkc: null });
    expect(stepOf(slave, 'slave')).toBe('leave-ring restart');
    expect(stepOf(alter(slave, { leave: LEFT }), 'slave')).toBe('stop-chmpx');
  });

  it('leaves no ring in which this node has hung in a merge: both start again first', () => {
    const hung = { mergeHung: true, ringStillMs: 20_000 };
    expect(stepOf(inRing(ROLL, hung))).toBe('leave-ring restart');
    const times = { ...TIMES, merge: 'coordinated' as const };
    const step = plan(desiredState(), inRing(ROLL, hung), times);
    expect(step).toMatchObject({ action: { do: 'restart-pair', hard: true } });
  });

  it.each<[string, Observed, string]>([
    ['leaving', inRing(ROLL), 'leaving the ring first'],
    [
      'stopping',
      inRing(ROLL, { leave: LEFT, status: ringStatus(OUT, IN, IN) }),
      'both programs start again',
    ],
    ['alone', inRing(ROLL, { status: ringStatus(IN) }), 'no ring to leave'],
    [
      'not leaving',
      inRing(ROLL, { leave: refused('still in after 170 s', 'restart') }),
      'the ring could not be left: still in after 170 s',
    ],
    ['waiting', inRing({ ...ROLL, waitedMs: 0 }), 'one server restarts after the other'],
  ])('names its keys when %s', (_, seen, why) => {
    const step = plan(desiredState(), seen, TIMES);
    expect(step.why).toBe(`new values of [K2HDKC] MAXTHREAD: ${why}`);
  });

  it('looks again soon while it waits for its turn: that of another is short', () => {
    const waits = inRing({ ...ROLL, waitedMs: 0 });
    expect(plan(desiredState(), waits, TIMES)).toMatchObject({ kind: 'wait', ms: 250 });
  });

  it('stops a k2hdkc that has its chmpx', () => {
    const left = inRing(ROLL, { status: ringStatus(OUT, IN, IN), leave: LEFT });
    expect(plan(desiredState(), left, TIMES)).toMatchObject({
      action: { do: 'stop-k2hdkc', orphan: false },
    });
  });

  it('does not keep a node from being healthy while it waits', () => {
    const crashed = inRing({ ...ROLL, waitedMs: 0 }, { k2hdkc: null, chmpx: RUNS });
    expect(stepOf(crashed)).toBe('start-k2hdkc');
  });
});
