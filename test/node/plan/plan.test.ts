import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/node/plan/plan.ts';
import {
  alter,
  LEFT,
  desiredState,
  IN,
  JOINING,
  MERGING,
  nothingRuns,
  observed,
  OTHER_PARAMETERS,
  registrationFor,
  ringStatus,
  RUNS,
  TIMES,
} from '../builders.ts';
import { check, inRing, noRegistration, serving, type Row } from './rows.ts';

describe('a split ring in which this node must give in', () => {
  const giveIn = 'the ring is split, and c must give in to a, b';
  const split = alter(inRing, { giveIn: { why: giveIn, holdMs: 7 } });
  it.each<Row>([
    ['starts both programs again', {}, split, 'give-in', giveIn],
    ['not while it stops', { stopped: { bootId: 'b1' } }, split, 'leave-ring stop'],
    ['not while it merges', {}, alter(split, { status: ringStatus(MERGING, IN) }), 'wait'],
    ['not while it joins', {}, alter(split, { status: ringStatus(JOINING, IN) }), 'wait'],
    ['starts chmpx of a slave again', { mode: 'slave' }, split, 'give-in', giveIn],
  ])('%s', (...row) => check(row));

  it('does so with coordinated merges too, where the lost ones keep their place', () => {
    const down = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';
    const lost = observed({ giveIn: { why: giveIn, holdMs: 7 }, status: ringStatus(IN, down, IN) });
    expect(plan(desiredState(), lost, { ...TIMES, merge: 'coordinated' })).toMatchObject({
      action: { do: 'give-in', why: giveIn, holdMs: 7 },
    });
    const merging = alter(lost, { status: ringStatus(IN, down, MERGING) });
    expect(plan(desiredState(), merging, { ...TIMES, merge: 'coordinated' })).toMatchObject({
      kind: 'wait',
    });
  });
});

describe('a change under way', () => {
  const restart = { generation: 'g2' };
  it.each<Row>([
    ['a restart leaves the ring', restart, inRing, 'leave-ring good'],
    ['… stops k2hdkc', restart, serving, 'stop-k2hdkc'],
    ['… stops chmpx', restart, observed({ k2hdkc: null }), 'stop-chmpx'],
    ['… starts again', restart, nothingRuns(), 'start-chmpx'],
    [
      '… stops a k2hdkc of before under a new chmpx',
      restart,
      observed({ chmpx: { ...RUNS, generation: 'g2' } }),
      'stop-k2hdkc',
    ],
    [
      'another cluster: leaves the ring',
      { registration: registrationFor(OTHER_PARAMETERS) },
      inRing,
      'leave-ring good',
    ],
    [
      'another cluster: stops its programs, which must not get the ini of the new one',
      { registration: registrationFor(OTHER_PARAMETERS) },
      alter(serving, { leave: LEFT }),
      'stop-k2hdkc',
    ],
    [
      'another cluster: unregisters',
      { registration: registrationFor(OTHER_PARAMETERS) },
      nothingRuns({ leave: LEFT }),
      'unregister',
    ],
    [
      'another cluster: waits for K2HR3',
      { registration: registrationFor(OTHER_PARAMETERS) },
      nothingRuns({ leave: LEFT, k2hr3RetryInMs: 700 }),
      { wait: 700 },
    ],
    ['another cluster: registers', noRegistration, nothingRuns(), 'register'],
  ])('%s', (...row) => check(row));
});
