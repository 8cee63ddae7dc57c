import { describe, it } from 'vitest';
import { ALONE, JOINING, nothingRuns, observed, ringStatus, ROLE } from '../builders.ts';
import { check, LONG, LONG_RUNNING, noRegistration, serving, type Row } from './rows.ts';

const NEW_RING = { ...ROLE, servers: 3, ringIsNew: true };
const upOf = (up: number, absentBefore: number, unaware = 0, settledMs = 60_000) => ({
  up,
  absentBefore,
  unaware,
  settledMs,
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
      'this VM has no place in the network of the ring',
      noRegistration,
      nothingRuns({ k2hr3RetryInMs: 700, networkProblem: 'ens3 is down' }),
      'wait',
      'registering in K2HR3 (ens3 is down)',
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
        chmpx: LONG_RUNNING,
        k2hdkc: LONG_RUNNING,
        status: null,
        statusStableMs: LONG,
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
    ['a backup is to be restored', { restoring: 'backup-1' }, nothingRuns(), { wait: 1_000 }],
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
    const unread = observed({ iniPublished: false, role: { ...ROLE, ini: null } });
    check(['not read yet', {}, unread, 'rest']);
    const starts = { ...LONG_RUNNING, runningMs: 300 };
    const blind = { iniPublished: false, chmpx: starts, k2hdkc: null, status: null };
    check(['chmpx would miss it', {}, observed(blind), 'wait', 'chmpx is starting']);
    check(['not for long', {}, observed({ ...blind, chmpx: LONG_RUNNING }), 'publish-ini']);
    check(['it watches', {}, observed({ ...blind, status: ringStatus(ALONE) }), 'publish-ini']);
  });
});
