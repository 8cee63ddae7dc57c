import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/node/plan/plan.ts';
import {
  ALONE,
  desiredState,
  IN,
  JOINING,
  LEAVES_AGAIN,
  MERGING,
  nothingRuns,
  observed,
  OUT,
  ringStatus,
  TIMES,
} from '../builders.ts';
import { check, LONG, LONG_RUNNING, type Row } from './rows.ts';

const DONE = '[SERVICE IN][UP][ADD][Done][NoSuspend]';

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
    ['stuck in SERVICE OUT', {}, observed({ status: ringStatus(OUT) }), 'cure SERVICEIN'],
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
      'cure SERVICEIN',
    ],
    [
      'nobody completes its merge',
      {},
      observed({ status: ringStatus(DONE, IN) }),
      'cure COMPMERGE',
      'nobody completes',
    ],
    [
      'it is back with a new k2hdkc, and nobody completes its merge',
      {},
      observed({ status: ringStatus('[SERVICE IN][UP][n/a][Done][NoSuspend]', IN) }),
      'cure COMPMERGE',
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

it('an orphan is stopped as one', () => {
  expect(plan(desiredState(), observed({ chmpx: null, status: null }), TIMES)).toMatchObject({
    action: { do: 'stop-k2hdkc', orphan: true },
  });
});

it('chmpx starts to serve, or to leave the ring with its data', () => {
  const start = { do: 'start-chmpx', generation: 'g1' };
  expect(plan(desiredState(), nothingRuns(), TIMES)).toMatchObject({
    action: { ...start, toLeave: false },
  });
  const detached = desiredState({ parameters: null });
  expect(plan(detached, nothingRuns({ leave: LEAVES_AGAIN }), TIMES)).toMatchObject({
    action: { ...start, toLeave: true },
  });
});

it('whoever waits for the next start is told why the last one failed', () => {
  const pausing = (crashReason: string): string =>
    plan(desiredState(), nothingRuns({ restartInMs: 500, crashReason }), TIMES).why;
  expect(pausing('')).toBe('pausing before the next start');
  expect(pausing('no such key')).toBe('pausing before the next start (no such key)');
});
