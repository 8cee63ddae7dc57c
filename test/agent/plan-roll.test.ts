import { describe, expect, it } from 'vitest';
import type { Observed } from '../../src/agent/observed.ts';
import { plan } from '../../src/agent/plan.ts';
import type { RollView } from '../../src/agent/roll-watch.ts';
import {
  desiredState,
  IN,
  JOINING,
  observed,
  OUT,
  ringStatus,
  ROLE,
  RUNS,
  TIMES,
} from './builders.ts';

const OF_K2HDKC: RollView = {
  restart: 'k2hdkc',
  keys: ['[K2HDKC] MAXTHREAD'],
  leavesData: false,
  waitedMs: 3_000,
  before: 0,
};
const OF_PAIR: RollView = { ...OF_K2HDKC, restart: 'pair', keys: ['[GLOBAL] MAXCHMPX'] };
const SUSPENDED = '[SERVICE IN][UP][n/a][Nothing][Suspend]';
const DOWN = '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]';
const LEAVING = '[SERVICE IN][UP][DELETE][Doing][NoSuspend]';
const role = { ...ROLE, servers: 3 };

function inRing(roll: RollView, change: Partial<Observed> = {}): Observed {
  return observed({ roll, role, status: ringStatus(IN, IN, IN), ...change });
}

function stepOf(seen: Observed, mode: 'server' | 'slave' = 'server'): string {
  const step = plan(desiredState({ mode }), seen, TIMES);
  return step.kind === 'do' ? step.action : step.kind;
}

describe('a new ini with keys that count from a start on', () => {
  it.each<[string, Observed, string]>([
    ['of k2hdkc, in a ring that is quiet', inRing(OF_K2HDKC), 'stop-k2hdkc'],
    ['of chmpx, in a ring that is quiet', inRing(OF_PAIR), 'leave-to-restart'],
    ['of chmpx, on the last server', inRing(OF_PAIR, { status: ringStatus(IN) }), 'stop-k2hdkc'],
    ['just read', inRing({ ...OF_PAIR, waitedMs: 2_000 }), 'wait'],
    [
      'on the only server, just read',
      observed({ roll: { ...OF_K2HDKC, waitedMs: 0 } }),
      'stop-k2hdkc',
    ],
    ['when the ring moved just now', inRing(OF_PAIR, { ringStillMs: 2_000 }), 'wait'],
    ['with a server that goes before', inRing({ ...OF_PAIR, before: 1, waitedMs: 9_000 }), 'wait'],
    [
      'with a server that had its turn and let it pass',
      inRing({ ...OF_PAIR, before: 1, waitedMs: 9_500 }),
      'leave-to-restart',
    ],
    [
      'while another restarts its k2hdkc',
      inRing({ ...OF_K2HDKC, waitedMs: 30_000 }, { status: ringStatus(IN, SUSPENDED, IN) }),
      'wait',
    ],
    [
      'while another leaves',
      inRing({ ...OF_PAIR, waitedMs: 30_000 }, { status: ringStatus(IN, LEAVING, IN) }),
      'wait',
    ],
    [
      'while another joins',
      inRing({ ...OF_PAIR, waitedMs: 30_000 }, { status: ringStatus(IN, JOINING, IN) }),
      'wait',
    ],
    [
      'while another is down for a minute',
      inRing(
        { ...OF_PAIR, waitedMs: 61_000 },
        { status: ringStatus(IN, IN, DOWN), ringStillMs: 61_000 },
      ),
      'leave-to-restart',
    ],
    [
      'in a ring that never comes to rest',
      inRing({ ...OF_PAIR, waitedMs: 181_000, before: 2 }, { ringStillMs: 100 }),
      'leave-to-restart',
    ],
    [
      'half way out, by an agent before this one',
      inRing({ ...OF_PAIR, before: 2 }, { status: ringStatus(LEAVING, IN, IN) }),
      'wait',
    ],
    [
      'in a moment outside that a merge of others makes',
      inRing(OF_PAIR, {
        status: ringStatus(OUT, IN, IN),
        statusStableMs: 300,
        ringStillMs: 300,
      }),
      'wait',
    ],
    [
      'when a merge has all others outside for a moment',
      inRing(OF_PAIR, { status: ringStatus(IN, OUT, OUT), statusStableMs: 300 }),
      'wait',
    ],
    [
      'with another data file: it stays when the data cannot move',
      inRing({ ...OF_PAIR, leavesData: true }),
      'leave-ring',
    ],
    [
      'out of the ring',
      inRing({ ...OF_PAIR, before: 2 }, { status: ringStatus(OUT, IN, IN), leaveOver: true }),
      'stop-k2hdkc',
    ],
    [
      'out of the ring, by an agent before this one',
      inRing({ ...OF_PAIR, before: 2, waitedMs: 0 }, { status: ringStatus(OUT, IN, IN) }),
      'stop-k2hdkc',
    ],
    [
      'half stopped',
      inRing(OF_PAIR, { status: ringStatus(SUSPENDED, IN, IN), k2hdkc: null, leaveOver: true }),
      'stop-chmpx',
    ],
    [
      'not yet published as far as it can be',
      inRing({ ...OF_PAIR, before: 1 }, { iniPublished: false }),
      'publish-ini',
    ],
    ['when the status is not known', inRing(OF_PAIR, { status: null }), 'wait'],
    [
      'when the ring could not be left',
      inRing(OF_PAIR, { leaveOver: true, leaveFailure: 'still in' }),
      'stop-k2hdkc',
    ],
    [
      'when the ring could not be left, and the data would stay behind',
      inRing({ ...OF_PAIR, leavesData: true }, { leaveOver: true, leaveFailure: 'still in' }),
      'wait',
    ],
  ])('%s', (_, seen, expected) => {
    expect(stepOf(seen)).toBe(expected);
  });

  it('restarts a slave at once', () => {
    const status = ringStatus('[SLAVE][UP][n/a][Nothing][NoSuspend]', IN, IN);
    const slave = inRing({ ...OF_PAIR, waitedMs: 0 }, { status, k2hdkc: null });
    expect(stepOf(slave, 'slave')).toBe('stop-chmpx');
  });

  it('names its keys in each step', () => {
    const step = plan(desiredState(), inRing(OF_PAIR), TIMES);
    expect(step.why).toBe(
      'new values of [GLOBAL] MAXCHMPX: other servers are in the ring: leaving it first',
    );
  });

  it('does not keep a node from being healthy while it waits', () => {
    const crashed = inRing({ ...OF_K2HDKC, waitedMs: 0 }, { k2hdkc: null, chmpx: RUNS });
    expect(stepOf(crashed)).toBe('start-k2hdkc');
  });
});
