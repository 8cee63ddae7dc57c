import { expect, it } from 'vitest';
import { Backoff } from '../../../src/base/backoff.ts';
import { JoinRetry } from '../../../src/ring/change/join-retry.ts';
import { IDLE } from '../../../src/ring/change/leave.ts';
import { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { ring } from '../rings.ts';
import { sightOf } from '../sight-of.ts';

const never = new AbortController().signal;

/** The coordinated changes of node a in a ring that does nothing that it is told. */
function bench(...words: string[]) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const retry = new JoinRetry(new Backoff({ first: 45_000, cap: 900_000 }, () => 0.5), clock);
  const changes = new RingChanges({
    mode: 'coordinated',
    sight: sightOf(() => Promise.resolve(ring('a', ...words)), clock),
    control: {
      send: ({ command, at }) => {
        sent.push(`${command} ${at.name}`);
        return Promise.resolve('SUCCEED');
      },
    },
    record: { keep: () => Promise.resolve() },
    unfinished: IDLE,
    pollMs: 100,
    leaveLimits: { stop: 10_000, restart: 20_000, good: 170_000 },
    stuckAfterMs: 5_000,
    changeWaitMs: 60_000,
    retry,
    patience: { tailMs: 1_000, mergeMs: 5_000, tries: 2 },
    role: () => new Set(),
    clock,
    log: silentLog,
  });
  return { changes, clock, retry, sent };
}

it('a cure counts until the programs start, or the wish is said again', async () => {
  const { changes, clock, sent } = bench('IN ADD Done', 'IN');
  await changes.cure('COMPMERGE');
  await clock.advance(700);
  expect(sent).toEqual(['COMPMERGE a']);
  expect(changes.cureSentMs).toBe(700);
  changes.starting(true);
  expect(changes.cureSentMs).toBeNull();
  await changes.cure('COMPMERGE');
  changes.forgive();
  expect(changes.cureSentMs).toBeNull();
});

it('a lead that cannot even be undone leaves the ring closed, and is tried again', async () => {
  const { changes, clock } = bench('OUT', 'IN ADD Doing', 'IN Doing');
  const ends: unknown[] = [];
  void changes.lead('join', never).catch((error: unknown) => ends.push(error));
  await clock.advance(40_100);
  expect(ends).toMatchObject([
    { message: expect.stringContaining('the ring stays closed: ') as string, retryable: true },
  ]);
});

it('a lead that is interrupted has not failed', async () => {
  const { changes, clock } = bench('OUT', 'IN ADD Doing', 'IN Doing');
  const step = new AbortController();
  const leading = changes.lead('join', step.signal);
  await clock.advance(1_000);
  step.abort();
  await clock.advance(200);
  await expect(leading).resolves.toBeUndefined();
});

it('a lead that is done ends the series of joins that were undone', async () => {
  const { changes, retry } = bench('IN', 'IN');
  retry.undone(false);
  await changes.lead('finish', never);
  retry.undone(true);
  expect(changes.joinRetryInMs).toBe(0);
});
