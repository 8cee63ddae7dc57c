import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/node/observed.ts';
import { plan } from '../../../src/node/plan/plan.ts';
import {
  ALONE,
  alter,
  desiredState,
  IN,
  JOINING,
  LEAVES_AGAIN,
  LEFT,
  nothingRuns,
  observed,
  OUT,
  refused,
  ROLE,
  ringStatus,
  TIMES,
} from '../builders.ts';
import { check, inRing, serving, type Row } from './rows.ts';

describe('stopping on purpose', () => {
  const stopped = { stopped: { bootId: 'boot' } };
  it.each<Row>([
    ['others are in the ring', stopped, inRing, 'leave-ring stop'],
    ['nobody else is in', stopped, observed({ status: ringStatus(IN, OUT) }), 'stop-k2hdkc'],
    ['it is out already', stopped, observed({ status: ringStatus(OUT, IN) }), 'stop-k2hdkc'],
    ['the time for leaving is up', stopped, alter(inRing, { leave: LEFT }), 'stop-k2hdkc'],
    [
      'the ring cannot be left: it stops anyway',
      stopped,
      alter(inRing, { leave: refused('still Doing') }),
      'stop-k2hdkc',
    ],
    [
      'the status is not known at this moment',
      stopped,
      observed({ status: null, statusStableMs: 10 }),
      'wait',
      'status',
    ],
    ['… for 5 s', stopped, observed({ status: null, statusStableMs: 4_999 }), 'wait'],
    ['… and no longer', stopped, observed({ status: null, statusStableMs: 5_000 }), 'stop-k2hdkc'],
    ['the status is not to be had', stopped, observed({ status: null }), 'stop-k2hdkc'],
    [
      'k2hdkc is stopped, and its ring has not noticed',
      stopped,
      alter(inRing, { k2hdkc: null }),
      'stop-chmpx',
    ],
    ['k2hdkc is stopped', stopped, observed({ k2hdkc: null }), 'stop-chmpx'],
    ['chmpx is gone', stopped, observed({ chmpx: null, status: null }), 'stop-k2hdkc'],
    ['both are stopped', stopped, nothingRuns(), 'rest', 'stopped'],
    ['not prepared yet', { phase: 'new', registration: null }, nothingRuns(), 'rest'],
  ])('%s', (...row) => check(row));
});

describe('leaving for good', () => {
  const detached = { parameters: null };
  it.each<Row>([
    ['others are in the ring', detached, inRing, 'leave-ring good'],
    ['the ring is left', detached, alter(inRing, { leave: LEFT }), 'unregister'],
    ['nobody else is in', detached, serving, 'leave-ring good', 'nobody else'],
    ['… and it is over', detached, alter(serving, { leave: LEFT }), 'unregister'],
    [
      'the data could not move',
      detached,
      alter(inRing, { leave: refused('still Doing after 170 s') }),
      'wait',
      'cannot leave the ring: still Doing after 170 s',
    ],
    [
      'the status is not known at this moment',
      detached,
      observed({ status: null, statusStableMs: 10 }),
      'wait',
    ],
    [
      '… for as long as a start may take',
      detached,
      observed({ status: null, statusStableMs: 59_999 }),
      'wait',
      'does not say its status',
    ],
    ['… and no longer', detached, observed({ status: null, statusStableMs: 60_000 }), 'unregister'],
    ['unregistered', { parameters: null, registration: null }, serving, 'stop-k2hdkc'],
    [
      'registered a moment ago',
      detached,
      nothingRuns({ leave: LEFT, registrationSettlesInMs: 900 }),
      'unregister',
    ],
    [
      'K2HR3 is away: stops',
      detached,
      observed({ leave: LEFT, k2hr3RetryInMs: 700 }),
      'stop-k2hdkc',
    ],
    [
      '… stops',
      detached,
      observed({ leave: LEFT, k2hdkc: null, k2hr3RetryInMs: 700 }),
      'stop-chmpx',
    ],
    [
      '… and tries again',
      detached,
      nothingRuns({ leave: LEFT, k2hr3RetryInMs: 700 }),
      { wait: 700 },
    ],
    ['all is done', { parameters: null, registration: null }, nothingRuns(), 'rest'],
    ['a failed prepare', { phase: 'failed' }, nothingRuns(), 'unregister'],
    ['a failed prepare is over', { phase: 'failed', registration: null }, nothingRuns(), 'rest'],
  ])('%s', (...row) => check(row));
});

describe('another server of the ring is down', () => {
  const KEPT = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';
  const role = { ...ROLE, cuks: new Set(['cuk-self', 'cuk-other0']) };
  const beside = (ringStillMs: number, ...others: string[]): Observed =>
    observed({ status: ringStatus(IN, ...others), role, ringStillMs });
  const detached = { parameters: null };
  const restart = { generation: 'g2' };
  it.each<Row>([
    ['for good: its data goes to it', detached, beside(60_000, KEPT), 'leave-ring good'],
    [
      'it is gone from the role',
      detached,
      alter(beside(0, KEPT), { role: ROLE }),
      'leave-ring good',
      'nobody else',
    ],
    ['a restart waits a moment', restart, beside(9_000, KEPT, IN), { wait: 1_000 }],
    ['… and starts again in place', restart, beside(10_000, KEPT, IN), 'stop-k2hdkc'],
    ['a restart of the last one', restart, beside(10_000, KEPT), 'stop-k2hdkc'],
    ['stop_db of the last one', { stopped: { bootId: 'boot' } }, beside(0, KEPT), 'stop-k2hdkc'],
    [
      'a restart that leaves already goes on',
      restart,
      alter(beside(60_000, KEPT, IN), {
        status: ringStatus('[SERVICE IN][UP][DELETE][Pending][NoSuspend]', KEPT, IN),
      }),
      'leave-ring good',
    ],
  ])('%s', (...row) => check(row));
});

describe('leaving for good, asked for while the programs do not run', () => {
  const detached = { parameters: null };
  const down = nothingRuns({ crashes: 1, restartInMs: 500 });
  it.each<Row>([
    ['both start, to leave', detached, down, 'leave-ring good', 'coming back first'],
    ['after a reboot', detached, nothingRuns(), 'leave-ring good'],
    ['k2hdkc alone is gone', detached, observed({ k2hdkc: null }), 'leave-ring good'],
    [
      'it waits outside the ring, after a power cut',
      detached,
      observed({ status: ringStatus(OUT, IN) }),
      'leave-ring good',
    ],
    ['chmpx alone is gone', detached, observed({ chmpx: null, status: null }), 'leave-ring good'],
    [
      'in a crash loop nothing can be moved',
      detached,
      alter(down, { crashLoops: true }),
      'unregister',
    ],
    ['it was never prepared', { phase: 'failed' }, nothingRuns(), 'unregister'],
    [
      'the role was never read',
      detached,
      nothingRuns({ role: { ...ROLE, ini: null } }),
      'unregister',
    ],
    ['it has left already', detached, nothingRuns({ leave: LEFT }), 'unregister'],
    ['not registered', { parameters: null, registration: null }, nothingRuns(), 'rest'],
    [
      'it was stopped by stop_db',
      { stopped: { bootId: 'boot' }, shrinking: { rejoinAt: 1_000_001 } },
      nothingRuns(),
      'unregister',
    ],
  ])('%s', (...row) => check(row));
});

describe('leaving again, after a hang or a crash in the leave', () => {
  const detached = { parameters: null };
  const again = { leave: LEAVES_AGAIN };
  const LEAVING = '[SERVICE IN][UP][DELETE][Pending][NoSuspend]';
  it.each<Row>([
    [
      'hangs',
      detached,
      alter(inRing, { ...again, mergeHung: true }),
      'restart-pair',
      'because this node hung',
    ],
    [
      'hung, and chmpx is gone',
      detached,
      observed({ ...again, mergeHung: true, chmpx: null, status: null }),
      'stop-k2hdkc',
    ],
    [
      'the status is not known at this moment',
      detached,
      observed({ ...again, status: null, statusStableMs: 10 }),
      'wait',
      'chmpx is starting',
    ],
    ['both are stopped', detached, nothingRuns(again), 'start-chmpx'],
    [
      'chmpx is up',
      detached,
      observed({ ...again, k2hdkc: null, status: ringStatus(ALONE) }),
      'start-k2hdkc',
    ],
    ['joins', detached, observed({ ...again, status: ringStatus(JOINING, IN) }), 'wait'],
    [
      'the data volume is not mounted after a reboot',
      detached,
      nothingRuns({ ...again, volumeMounted: false }),
      'mount-volume',
    ],
    [
      'all others have gone meanwhile: there is nothing to leave',
      detached,
      alter(serving, again),
      'leave-ring good',
    ],
    [
      'lost its place when the merge of its leave was aborted: it joins first',
      detached,
      observed({ ...again, status: ringStatus(OUT, IN), statusStableMs: 1 }),
      'wait',
    ],
    ['is in the ring again', detached, alter(inRing, { ...again }), 'leave-ring good'],
    [
      'leaves already',
      detached,
      observed({ ...again, status: ringStatus(LEAVING, IN) }),
      'leave-ring good',
    ],
    [
      'k2hdkc crashed in the leave',
      detached,
      observed({ ...again, k2hdkc: null, status: ringStatus(LEAVING, IN) }),
      'start-k2hdkc',
    ],
    ['the time for leaving is up', detached, nothingRuns({ leave: LEFT }), 'unregister'],
    [
      'a restart hangs in its leave: the start that follows is all it wants',
      { generation: 'g2' },
      alter(inRing, { ...again, mergeHung: true }),
      'restart-pair',
    ],
  ])('%s', (...row) => check(row));
});

describe('a shrink', () => {
  const shrinking = { shrinking: { rejoinAt: 1_000_001 } };
  it.each<Row>([
    ['leaves', shrinking, inRing, 'leave-ring good'],
    ['unregisters', shrinking, alter(inRing, { leave: LEFT }), 'unregister'],
    ['stops', { ...shrinking, registration: null }, serving, 'stop-k2hdkc'],
    ['rests', { ...shrinking, registration: null }, nothingRuns(), 'rest'],
    ['ends when nobody deleted it', shrinking, nothingRuns({ now: 1_000_001 }), 'end-shrink'],
  ])('%s', (...row) => check(row));
});

it('says whether k2hdkc has lost its chmpx', () => {
  const stopped = desiredState({ stopped: { bootId: 'boot' } });
  expect(plan(stopped, serving, TIMES)).toMatchObject({
    action: { do: 'stop-k2hdkc', orphan: false },
  });
  expect(plan(stopped, observed({ chmpx: null, status: null }), TIMES)).toMatchObject({
    action: { do: 'stop-k2hdkc', orphan: true },
  });
});
