import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import type { Observed } from '../../../src/node/observed.ts';
import { plan } from '../../../src/node/plan/plan.ts';
import { isStopped, serves, wantsToServe } from '../../../src/node/plan/wants.ts';
import type { Action } from '../../../src/node/plan/step.ts';
import {
  ALONE,
  desiredState,
  IN,
  JOINING,
  MERGING,
  nothingRuns,
  observed,
  OTHER_PARAMETERS,
  OUT,
  registrationFor,
  ringStatus,
  ROLE,
  RUNS,
  TIMES,
} from '../builders.ts';

const LONG = TIMES.startTimeoutMs + 1;
const LONG_RUNNING = { generation: 'g1', runningMs: LONG };

/** What follows from a situation: an action, `wait` or `rest`, and for how long. */
type Expected = Action | 'rest' | 'wait' | { wait: number };
type Row = [string, Partial<DesiredState>, Observed, Expected, string?];

function check([, change, seen, expected, why]: Row): void {
  const step = plan(desiredState(change), seen, TIMES);
  if (step.kind === 'do') expect(step.action).toBe(expected);
  else if (typeof expected === 'string') expect(step.kind).toBe(expected);
  else expect(step).toMatchObject({ kind: 'wait', ms: expected.wait });
  if (why !== undefined) expect(step.why).toContain(why);
}

const NEW_RING = { ...ROLE, servers: 3, ringIsNew: true };
const upOf = (up: number, absentBefore: number, unaware = 0, settledMs = 60_000) => ({
  ...{ up, absentBefore, unaware, settledMs },
});
const DONE = '[SERVICE IN][UP][ADD][Done][NoSuspend]';
const noRegistration = { registration: null };
const serving = observed();
const inRing = observed({ status: ringStatus(IN, IN) });

describe('the data volume', () => {
  const missing = (retryInMs: number) => ({
    volume: { mounted: false, problem: 'no such device', retryInMs },
  });
  it.each<Row>([
    ['is not mounted', noRegistration, nothingRuns(missing(0)), 'mount-volume'],
    [
      'cannot be mounted',
      {},
      nothingRuns(missing(700)),
      { wait: 700 },
      'mounting the data volume (no such device)',
    ],
    ['is gone when k2hdkc crashes', {}, observed({ ...missing(0), k2hdkc: null }), 'mount-volume'],
    ['is gone under programs that run', {}, observed(missing(0)), 'rest'],
    ['is not needed to stop', { stopped: { bootId: null } }, observed(missing(0)), 'stop-k2hdkc'],
  ])('%s', (...row) => {
    check(row);
  });
});

describe('starting', () => {
  it.each<Row>([
    ['not registered', noRegistration, nothingRuns(), 'register', 'not registered yet'],
    ['preparing', { ...noRegistration, phase: 'preparing' }, nothingRuns(), 'register'],
    ['K2HR3 failed', noRegistration, nothingRuns({ k2hr3RetryInMs: 700 }), { wait: 700 }],
    [
      'K2HR3 failed, and says why',
      noRegistration,
      nothingRuns({ k2hr3RetryInMs: 700, role: { ...ROLE, problem: 'refused' } }),
      'wait',
      'registering in K2HR3 (refused)',
    ],
    [
      'the registration was lost',
      {},
      nothingRuns({ role: { ...ROLE, ini: null, lacksSelf: true } }),
      'register',
      'the ring lacks this node',
    ],
    [
      'registered a moment ago, the role is older',
      {},
      nothingRuns({ role: { ...ROLE, ini: null, lacksSelf: true }, registrationSettlesInMs: 900 }),
      { wait: 900 },
    ],
    [
      'registered, the role was not read yet',
      {},
      nothingRuns({ role: { ...ROLE, ini: null } }),
      'wait',
      'reading the role',
    ],
    [
      'registered, the role cannot be used',
      {},
      nothingRuns({ role: { ...ROLE, ini: null, problem: 'the role resource is refused' } }),
      'wait',
      'reading the role (the role resource is refused)',
    ],
    ['the role was read', {}, nothingRuns({ iniPublished: false }), 'publish-ini'],
    [
      'the ring changed just now',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 400 }, neighbours: upOf(0, 0, 0, 400) }),
      { wait: 600 },
    ],
    [
      'nobody else is in the role',
      {},
      nothingRuns({ role: { ...ROLE, ringStableMs: 0 } }),
      'start-chmpx',
    ],
    [
      'one of the servers that run does not know this node yet',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 6_000 }, neighbours: upOf(2, 0, 1, 0) }),
      { wait: 50 },
      'must know this node first',
    ],
    [
      'the servers that run have just said that they know this node',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 3_000 }, neighbours: upOf(2, 0, 0, 0) }),
      'start-chmpx',
    ],
    [
      'they know this node, and another joiner that stands before it',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 6_000 }, neighbours: upOf(2, 1, 0, 200) }),
      { wait: 1_300 },
      'before this one',
    ],
    [
      'a ring is being made, and two of its servers start before this one',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 3_000 }, neighbours: upOf(0, 2) }),
      { wait: 1_000 },
    ],
    [
      'a ring is being made: the first server starts',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 1_000 }, neighbours: upOf(0, 0) }),
      'start-chmpx',
    ],
    [
      'it is not known who runs',
      {},
      nothingRuns({ role: { ...NEW_RING, ringStableMs: 10_000 }, neighbours: null }),
      { wait: 50 },
    ],
    [
      'one server of a ring that others know starts before this one',
      {},
      nothingRuns({ role: { ...ROLE, servers: 3, ringStableMs: 2_000 }, neighbours: upOf(1, 1) }),
      { wait: 500 },
    ],
    ['the ini is there', {}, nothingRuns(), 'start-chmpx'],
    ['after a crash', {}, nothingRuns({ restartInMs: 500 }), { wait: 500 }],
    [
      'chmpxstatus is gone: nothing is known against a pair that runs',
      {},
      observed({
        ...{ chmpx: LONG_RUNNING, k2hdkc: LONG_RUNNING, status: null, statusStableMs: LONG },
        statusProblem: 'chmpxstatus: cannot be started (ENOENT)',
      }),
      'wait',
      'chmpxstatus: cannot be started (ENOENT)',
    ],
    ['chmpx has just started', {}, observed({ k2hdkc: null, status: null }), 'wait', 'starting'],
    [
      'chmpx is not up yet',
      {},
      observed({ k2hdkc: null, status: ringStatus('[SERVICE OUT][DOWN][n/a][Nothing][Suspend]') }),
      'wait',
    ],
    ['chmpx is up', {}, observed({ k2hdkc: null, status: ringStatus(ALONE) }), 'start-k2hdkc'],
    [
      'chmpx is up, another server joins: one change at a time',
      {},
      observed({ k2hdkc: null, status: ringStatus(ALONE, JOINING) }),
      'wait',
      'another change',
    ],
    [
      'chmpx is up, k2hdkc crashed',
      {},
      observed({ k2hdkc: null, status: ringStatus(ALONE), restartInMs: 500 }),
      { wait: 500 },
    ],
    ['both run, joining', {}, observed({ status: ringStatus(JOINING) }), 'wait', 'joining'],
    ['both run, k2hdkc not attached', {}, observed({ status: ringStatus(ALONE) }), 'wait'],
    ['in service', {}, serving, 'rest', 'serving'],
  ])('%s', (...row) => check(row));

  it('goes on serving whatever K2HR3 says', () => {
    const away = { k2hr3RetryInMs: 700, role: { ...ROLE, problem: 'no answer' } };
    check(['away', {}, observed(away), 'rest']);
    check(['unread', {}, observed({ role: { ...ROLE, ini: null, problem: 'refused' } }), 'rest']);
    const lost = { ...ROLE, ini: null, lacksSelf: true };
    check(['lost', {}, observed({ role: lost }), 'register']);
    check(['lost', {}, observed({ role: lost, k2hr3RetryInMs: 700 }), 'rest']);
  });

  it('publishes what has changed under running programs', () => {
    check(['changed', {}, observed({ iniPublished: false }), 'publish-ini']);
    const starts = { ...LONG_RUNNING, runningMs: 300 };
    const blind = { iniPublished: false, chmpx: starts, k2hdkc: null, status: null };
    check(['chmpx would miss it', {}, observed(blind), 'wait', 'chmpx is starting']);
    check(['not for long', {}, observed({ ...blind, chmpx: LONG_RUNNING }), 'publish-ini']);
    check(['it watches', {}, observed({ ...blind, status: ringStatus(ALONE) }), 'publish-ini']);
  });
});

describe('what went wrong', () => {
  it.each<Row>([
    [
      'chmpx crashed: k2hdkc must not outlive it',
      {},
      observed({ chmpx: null, status: null }),
      'stop-k2hdkc',
    ],
    [
      'chmpx did not come up',
      {},
      observed({ chmpx: LONG_RUNNING, k2hdkc: null, status: null, statusStableMs: LONG }),
      'restart-pair',
      'did not come up',
    ],
    [
      'chmpx hangs under a k2hdkc, which is stopped first',
      {},
      observed({ chmpx: LONG_RUNNING, k2hdkc: LONG_RUNNING, status: null, statusStableMs: LONG }),
      'restart-pair',
    ],
    [
      'the status of a node that ran for days is not known at this moment',
      {},
      observed({ chmpx: LONG_RUNNING, k2hdkc: LONG_RUNNING, status: null, statusStableMs: 10 }),
      'wait',
    ],
    [
      'chmpx was started anew after a long time without a status',
      {},
      observed({ k2hdkc: null, status: null, statusStableMs: LONG }),
      'wait',
    ],
    [
      'SERVICE OUT just now',
      {},
      observed({ status: ringStatus(OUT), statusStableMs: 4_000 }),
      'wait',
    ],
    ['stuck in SERVICE OUT', {}, observed({ status: ringStatus(OUT) }), 'service-in'],
    [
      'SERVICEIN was sent and takes its time',
      {},
      observed({ status: ringStatus(OUT), cureSentMs: 10_000 }),
      'wait',
    ],
    [
      'SERVICEIN was of no use',
      {},
      observed({ status: ringStatus(OUT), cureSentMs: 15_001 }),
      'service-in',
    ],
    [
      'nobody completes its merge',
      {},
      observed({ status: ringStatus(DONE, IN) }),
      'complete-merge',
      'nobody completes',
    ],
    [
      'it is back with a new k2hdkc, and nobody completes its merge',
      {},
      observed({ status: ringStatus('[SERVICE IN][UP][n/a][Done][NoSuspend]', IN) }),
      'complete-merge',
    ],
    [
      'its merge is Done just now',
      {},
      observed({ status: ringStatus(DONE, IN), ringStillMs: 4_000 }),
      'wait',
    ],
    ['another still moves data', {}, observed({ status: ringStatus(DONE, MERGING) }), 'wait'],
    [
      'COMPMERGE was sent and takes its time',
      {},
      observed({ status: ringStatus(DONE, IN), cureSentMs: 10_000 }),
      'wait',
    ],
    [
      'COMPMERGE was of no use',
      {},
      observed({
        k2hdkc: LONG_RUNNING,
        status: ringStatus('[SERVICE IN][UP][n/a][Done][NoSuspend]', IN),
        statusStableMs: LONG,
        cureSentMs: 10_000,
      }),
      'restart-pair',
    ],
    [
      'the join does not move',
      {},
      observed({ k2hdkc: LONG_RUNNING, status: ringStatus(JOINING), statusStableMs: LONG }),
      'restart-pair',
      'nothing moves',
    ],
    [
      'its k2hdkc does nothing in the merge of its join',
      {},
      observed({ status: ringStatus(JOINING, IN), mergeHangs: true }),
      'restart-pair',
      'hangs in a merge',
    ],
    [
      'its k2hdkc is gone in the middle of a join',
      {},
      observed({ k2hdkc: null, status: ringStatus('[SERVICE IN][UP][ADD][Doing][Suspend]') }),
      'start-k2hdkc',
    ],
    [
      'k2hdkc does not attach',
      {},
      observed({ k2hdkc: LONG_RUNNING, status: ringStatus(ALONE), statusStableMs: LONG }),
      'restart-pair',
    ],
    [
      'a k2hdkc in service has let go of chmpx',
      {},
      observed({
        k2hdkc: LONG_RUNNING,
        status: ringStatus('[SERVICE IN][UP][n/a][Nothing][Suspend]'),
        statusStableMs: LONG,
      }),
      'restart-pair',
    ],
    [
      'k2hdkc was started again a moment ago',
      {},
      observed({ status: ringStatus(JOINING), statusStableMs: LONG }),
      'wait',
    ],
    [
      'the merge of another server takes long',
      {},
      observed({ k2hdkc: LONG_RUNNING, status: ringStatus(MERGING), statusStableMs: LONG }),
      'wait',
    ],
  ])('%s', (...row) => check(row));
});

describe('stopping on purpose', () => {
  const stopped = { stopped: { bootId: 'boot' } };
  it.each<Row>([
    ['others are in the ring', stopped, inRing, 'leave-ring'],
    ['nobody else is in', stopped, observed({ status: ringStatus(IN, OUT) }), 'stop-k2hdkc'],
    ['it is out already', stopped, observed({ status: ringStatus(OUT, IN) }), 'stop-k2hdkc'],
    ['the time for leaving is up', stopped, { ...inRing, leaveOver: true }, 'stop-k2hdkc'],
    [
      'the ring cannot be left: it stops anyway',
      stopped,
      { ...inRing, leaveOver: true, leaveFailure: 'still Doing' },
      'stop-k2hdkc',
    ],
    [
      'the status is not known at this moment',
      stopped,
      observed({ status: null, statusStableMs: 10 }),
      'wait',
      'status',
    ],
    ['the status is not to be had', stopped, observed({ status: null }), 'stop-k2hdkc'],
    ['k2hdkc is stopped', stopped, observed({ k2hdkc: null }), 'stop-chmpx'],
    ['chmpx is gone', stopped, observed({ chmpx: null, status: null }), 'stop-k2hdkc'],
    ['both are stopped', stopped, nothingRuns(), 'rest', 'stopped'],
    ['not prepared yet', { phase: 'new', registration: null }, nothingRuns(), 'rest'],
  ])('%s', (...row) => check(row));
});

describe('leaving for good', () => {
  const detached = { parameters: null };
  it.each<Row>([
    ['others are in the ring', detached, inRing, 'leave-ring'],
    ['the ring is left', detached, { ...inRing, leaveOver: true }, 'unregister'],
    ['nobody else is in', detached, serving, 'unregister'],
    [
      'the data could not move',
      detached,
      { ...inRing, leaveOver: true, leaveFailure: 'still Doing after 170 s' },
      'wait',
      'cannot leave the ring: still Doing after 170 s',
    ],
    [
      'the status is not known at this moment',
      detached,
      observed({ status: null, statusStableMs: 10 }),
      'wait',
    ],
    ['unregistered', { parameters: null, registration: null }, serving, 'stop-k2hdkc'],
    [
      'registered a moment ago',
      detached,
      nothingRuns({ registrationSettlesInMs: 900 }),
      'unregister',
    ],
    ['K2HR3 is away: stops', detached, observed({ k2hr3RetryInMs: 700 }), 'stop-k2hdkc'],
    ['… stops', detached, observed({ k2hdkc: null, k2hr3RetryInMs: 700 }), 'stop-chmpx'],
    ['… and tries again', detached, nothingRuns({ k2hr3RetryInMs: 700 }), { wait: 700 }],
    ['all is done', { parameters: null, registration: null }, nothingRuns(), 'rest'],
    ['a failed prepare', { phase: 'failed' }, nothingRuns(), 'unregister'],
    ['a failed prepare is over', { phase: 'failed', registration: null }, nothingRuns(), 'rest'],
  ])('%s', (...row) => check(row));
});

describe('a split ring in which this node must give in', () => {
  const giveIn = 'the ring is split, and c must give in to a, b';
  const split = { ...inRing, giveIn };
  it.each<Row>([
    ['starts both programs again', {}, split, 'give-in', giveIn],
    ['not while it stops', { stopped: { bootId: 'b1' } }, split, 'leave-ring'],
    ['not while it merges', {}, { ...split, status: ringStatus(MERGING, IN) }, 'wait'],
    ['not while it joins', {}, { ...split, status: ringStatus(JOINING, IN) }, 'wait'],
    ['starts chmpx of a slave again', { mode: 'slave' }, split, 'give-in', giveIn],
  ])('%s', (...row) => check(row));

  it('does so with coordinated merges too, where the lost ones keep their place', () => {
    const down = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';
    const lost = observed({ giveIn, status: ringStatus(IN, down, IN) });
    expect(plan(desiredState(), lost, { ...TIMES, merge: 'coordinated' })).toMatchObject({
      action: 'give-in',
    });
    const merging = { ...lost, status: ringStatus(IN, down, MERGING) };
    expect(plan(desiredState(), merging, { ...TIMES, merge: 'coordinated' })).toMatchObject({
      kind: 'wait',
    });
  });
});

describe('leaving again, after a hang or a crash in the leave', () => {
  const detached = { parameters: null };
  const again = { leaveAgain: true };
  const LEAVING = '[SERVICE IN][UP][DELETE][Pending][NoSuspend]';
  it.each<Row>([
    [
      'hangs',
      detached,
      { ...inRing, ...again, mergeHung: true },
      'restart-pair',
      'because this node hung',
    ],
    ['both are stopped', detached, nothingRuns(again), 'start-chmpx'],
    [
      'chmpx is up',
      detached,
      observed({ ...again, k2hdkc: null, status: ringStatus(ALONE) }),
      'start-k2hdkc',
    ],
    ['joins', detached, observed({ ...again, status: ringStatus(JOINING, IN) }), 'wait'],
    ['is in the ring again', detached, { ...inRing, ...again }, 'leave-ring'],
    [
      'leaves already',
      detached,
      observed({ ...again, status: ringStatus(LEAVING, IN) }),
      'leave-ring',
    ],
    [
      'k2hdkc crashed in the leave',
      detached,
      observed({ ...again, k2hdkc: null, status: ringStatus(LEAVING, IN) }),
      'start-k2hdkc',
    ],
    ['the time for leaving is up', detached, nothingRuns(), 'unregister'],
    [
      'a restart hangs in its leave: the start that follows is all it wants',
      { generation: 'g2' },
      { ...inRing, ...again, mergeHung: true },
      'restart-pair',
    ],
  ])('%s', (...row) => check(row));
});

describe('a shrink', () => {
  const shrinking = { shrinking: { rejoinAt: 1_000_001 } };
  it.each<Row>([
    ['leaves', shrinking, inRing, 'leave-ring'],
    ['unregisters', shrinking, { ...inRing, leaveOver: true }, 'unregister'],
    ['stops', { ...shrinking, registration: null }, serving, 'stop-k2hdkc'],
    ['rests', { ...shrinking, registration: null }, nothingRuns(), 'rest'],
    ['ends when nobody deleted it', shrinking, nothingRuns({ now: 1_000_001 }), 'end-shrink'],
  ])('%s', (...row) => check(row));
});

describe('a change under way', () => {
  const restart = { generation: 'g2' };
  it.each<Row>([
    ['a restart leaves the ring', restart, inRing, 'leave-ring'],
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
      'leave-ring',
    ],
    [
      'another cluster: stops its programs, which must not get the ini of the new one',
      { registration: registrationFor(OTHER_PARAMETERS) },
      serving,
      'stop-k2hdkc',
    ],
    [
      'another cluster: unregisters',
      { registration: registrationFor(OTHER_PARAMETERS) },
      nothingRuns(),
      'unregister',
    ],
    [
      'another cluster: waits for K2HR3',
      { registration: registrationFor(OTHER_PARAMETERS) },
      nothingRuns({ k2hr3RetryInMs: 700 }),
      { wait: 700 },
    ],
    ['another cluster: registers', noRegistration, nothingRuns(), 'register'],
  ])('%s', (...row) => check(row));
});

describe('wantsToServe', () => {
  it.each<[string, Partial<DesiredState>, boolean]>([
    ['prepared', {}, true],
    ['preparing', { phase: 'preparing' }, true],
    ['ready', { phase: 'ready' }, true],
    ['new', { phase: 'new' }, false],
    ['failed', { phase: 'failed' }, false],
    ['detached', { parameters: null }, false],
    ['stopped', { stopped: { bootId: null } }, false],
    ['shrinking', { shrinking: { rejoinAt: 0 } }, false],
  ])('%s: %s', (_, change, wanted) => {
    expect(wantsToServe(desiredState(change))).toBe(wanted);
  });
});

describe('serves', () => {
  it.each<[string, Observed, boolean]>([
    ['in service', serving, true],
    ['merging', observed({ status: ringStatus(MERGING) }), false],
    ['status not known', observed({ status: null }), false],
    ['an old chmpx', observed({ chmpx: { ...RUNS, generation: 'g0' } }), false],
    ['an old k2hdkc', observed({ k2hdkc: { ...RUNS, generation: 'g0' } }), false],
    ['no k2hdkc', observed({ k2hdkc: null }), false],
  ])('%s', (_, seen, expected) => {
    expect(serves(desiredState(), seen)).toBe(expected);
  });
});

it('isStopped only when neither program runs, nor starts once more to leave', () => {
  expect(isStopped(nothingRuns())).toBe(true);
  expect(isStopped(nothingRuns({ leaveAgain: true }))).toBe(false);
  expect(isStopped(observed({ chmpx: null }))).toBe(false);
  expect(isStopped(observed({ k2hdkc: null }))).toBe(false);
});

describe('a slave', () => {
  const slave: Partial<DesiredState> = { mode: 'slave' };
  const FOLLOWING = '[SLAVE][UP][n/a][Nothing][NoSuspend]';
  const follows = observed({ k2hdkc: null, status: ringStatus(FOLLOWING, IN) });
  it.each<Row>([
    ['not registered', { ...slave, registration: null }, nothingRuns(), 'register'],
    ['lacked by the role', slave, { ...follows, role: { ...ROLE, lacksSelf: true } }, 'register'],
    ['chmpx does not run', slave, nothingRuns(), 'start-chmpx'],
    ['the ring has changed', slave, { ...follows, iniPublished: false }, 'publish-ini'],
    ['up, without k2hdkc', slave, follows, 'rest', 'following the cluster'],
    ['leaves answers unread', slave, { ...follows, unreadMs: 14_999 }, 'rest'],
    ['does not read any more', slave, { ...follows, unreadMs: 15_000 }, 'restart-pair', 'read'],
    ['leaving', { ...slave, parameters: null }, follows, 'unregister'],
    [
      'leaving while K2HR3 is away',
      { ...slave, parameters: null },
      { ...follows, k2hr3RetryInMs: 900 },
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

  it('serves as long as its chmpx is up', () => {
    expect(serves(desiredState(slave), follows)).toBe(true);
    expect(serves(desiredState(slave), nothingRuns())).toBe(false);
  });
});
