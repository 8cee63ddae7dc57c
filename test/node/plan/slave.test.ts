import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import { serves } from '../../../src/node/plan/wants.ts';
import {
  alter,
  desiredState,
  IN,
  nothingRuns,
  observed,
  OTHER_PARAMETERS,
  registrationFor,
  ringStatus,
  ROLE,
  RUNS,
} from '../builders.ts';
import { check, type Row } from './rows.ts';

describe('a slave', () => {
  const slave: Partial<DesiredState> = { mode: 'slave' };
  const FOLLOWING = '[SLAVE][UP][n/a][Nothing][NoSuspend]';
  const follows = observed({ k2hdkc: null, status: ringStatus(FOLLOWING, IN) });
  it.each<Row>([
    ['not registered', { ...slave, registration: null }, nothingRuns(), 'register'],
    [
      'lacked by the role',
      slave,
      alter(follows, { role: { ...ROLE, lacksSelf: true } }),
      'register',
    ],
    ['chmpx does not run', slave, nothingRuns(), 'start-chmpx'],
    ['the ring has changed', slave, alter(follows, { iniPublished: false }), 'publish-ini'],
    ['up, without k2hdkc', slave, follows, 'rest', 'following the cluster'],
    [
      'not looked at yet, or refused',
      slave,
      alter(follows, { isLetIn: false }),
      'wait',
      'let this slave in',
    ],
    ['let in', slave, alter(follows, { isLetIn: true }), 'rest', 'following the cluster'],
    [
      'refused for long enough',
      slave,
      alter(follows, { isLetIn: false, giveIn: { why: 'b has refused it', holdMs: 0 } }),
      'give-in',
      'b has refused it',
    ],
    ['leaves answers unread', slave, alter(follows, { unreadMs: 14_999 }), 'rest'],
    ['does not read any more', slave, alter(follows, { unreadMs: 15_000 }), 'restart-pair', 'read'],
    ['leaving', { ...slave, parameters: null }, follows, 'unregister'],
    [
      'leaving while K2HR3 is away',
      { ...slave, parameters: null },
      alter(follows, { k2hr3RetryInMs: 900 }),
      'stop-chmpx',
    ],
    [
      'given another role',
      { ...slave, registration: registrationFor(OTHER_PARAMETERS) },
      follows,
      'stop-chmpx',
    ],
    ['gone', { ...slave, parameters: null, registration: null }, nothingRuns(), 'rest'],
  ])('%s', (...row) => check(row));

  it('serves as long as its chmpx is up, and was let in', () => {
    expect(serves(desiredState(slave), alter(follows, { isLetIn: false }))).toBe(false);
    expect(serves(desiredState(slave), alter(follows, { isLetIn: true }))).toBe(true);
    expect(serves(desiredState(slave), follows)).toBe(true);
    expect(serves(desiredState(slave), nothingRuns())).toBe(false);
    expect(serves(desiredState(slave), alter(follows, { status: null }))).toBe(false);
    const down = ringStatus('[SLAVE][DOWN][n/a][Nothing][NoSuspend]', IN);
    expect(serves(desiredState(slave), alter(follows, { status: down }))).toBe(false);
    const old = { ...RUNS, generation: 'g0' };
    expect(serves(desiredState(slave), alter(follows, { chmpx: old }))).toBe(false);
  });
});
