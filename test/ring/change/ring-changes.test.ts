import { expect, it } from 'vitest';
import type { MergeMode } from '../../../src/ring/merge-mode.ts';
import { JoinRetry } from '../../../src/ring/change/join-retry.ts';
import { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import { Backoff } from '../../../src/base/backoff.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ring } from '../rings.ts';
import { ManualClock } from '../../base/manual-clock.ts';

/** The changes of node a in a ring whose status a test writes, and what it is sent. */
function bench(words: string, mode: MergeMode = 'automatic') {
  const clock = new ManualClock();
  const { log, texts } = recordingLog();
  const sent: string[] = [];
  const seen: { words: string | null; other: string } = { words, other: 'IN' };
  const changes = new RingChanges({
    mode,
    readStatus: () =>
      Promise.resolve(seen.words === null ? null : ring('a', seen.words, seen.other)),
    ownHangs: () => mode === 'coordinated',
    control: {
      send: ({ command, at }) => {
        sent.push(`${command} ${at.name}`);
        if (command === 'ABORTMERGE') seen.words = seen.other = 'IN Pending';
        return Promise.resolve('SUCCEED');
      },
    },
    pollMs: 100,
    leaveLimits: { stop: 10_000, restart: 20_000, good: 30_000 },
    stuckAfterMs: 5_000,
    changeWaitMs: 60_000,
    retry: new JoinRetry(new Backoff({ first: 1, cap: 1 }, () => 0), clock),
    patience: { tailMs: 1, mergeMs: 1, tries: 1 },
    role: () => new Set(),
    clock,
    log,
  });
  return { changes, clock, sent, seen, texts };
}

const never = new AbortController().signal;

it('a restart that could not leave the ring is forgotten after a while, and tried again', async () => {
  const { changes, clock, sent, seen, texts } = bench('IN DELETE Doing');
  const leaving = changes.leave('restart', () => true, never);
  await clock.advance(20_200);
  await leaving;
  const why = 'still [SERVICE IN][UP][DELETE][Doing][NoSuspend] after 20 s';
  expect(changes).toMatchObject({ leaveFailure: why, leaveOver: false });
  expect(texts).toEqual([
    'the ring was not left: nothing restarts, and it is tried again after 15 minutes',
  ]);
  await clock.advance(899_000);
  expect(changes.leaveFailure).toBe(why);
  await clock.advance(2_000);
  expect(changes.leaveFailure).toBeNull();
  seen.words = 'IN';
  const again = changes.leave('restart', () => true, never);
  await clock.advance(0);
  seen.words = 'OUT';
  await clock.advance(100);
  await again;
  expect(sent).toEqual(['SERVICEOUT a']);
  expect(changes).toMatchObject({ leaveFailure: null, leaveOver: true });
});

it('an automatic leave that nobody completes gets COMPMERGE, again after 15 s, until its time is up', async () => {
  const { changes, clock, sent } = bench('IN DELETE Done');
  const leaving = changes.leave('good', () => true, never);
  await clock.advance(4_900);
  expect(sent).toEqual([]);
  await clock.advance(14_000);
  expect(sent).toEqual(['COMPMERGE a']);
  await clock.advance(12_000);
  await leaving;
  expect(sent).toEqual(['COMPMERGE a', 'COMPMERGE a']);
  expect(changes.leaveFailure).toContain('after 30 s');
});

it('no leave gets COMPMERGE while data moves', async () => {
  const { changes, clock, sent, seen } = bench('IN DELETE Doing');
  const leaving = changes.leave('stop', () => true, never);
  await clock.advance(8_000);
  seen.words = 'IN DELETE Done';
  await clock.advance(1_000);
  seen.words = 'OUT';
  await clock.advance(200);
  await leaving;
  expect(sent).toEqual([]);
  expect(changes.leaveOver).toBe(true);
});

it('who leaves for good and crashes has not left: it leaves again while there is time', async () => {
  const { changes, clock, seen } = bench('IN DELETE Doing');
  let up = true;
  const leaving = changes.leave('good', () => up, never);
  await clock.advance(1_000);
  seen.words = null;
  await clock.advance(1_000);
  up = false;
  await clock.advance(100);
  await leaving;
  expect(changes).toMatchObject({ leaveOver: false, leaveAgain: true, leaveFailure: null });
  await clock.advance(28_000);
  expect(changes.leaveAgain).toBe(false);
});

it.each<['good' | 'stop', string | null]>([
  ['good', 'OUT'],
  ['stop', null],
])('%s is over with the status %s', async (kind, words) => {
  const { changes, clock, seen } = bench('IN DELETE Doing');
  const leaving = changes.leave(kind, () => false, never);
  await clock.advance(1_000);
  seen.words = words;
  await clock.advance(100);
  await leaving;
  expect(changes).toMatchObject({ leaveOver: true, leaveAgain: false });
});

it('a crash ends the step, and the leave is still to be done', async () => {
  const { changes, clock } = bench('IN DELETE Doing');
  const step = new AbortController();
  const leaving = changes.leave('good', () => true, step.signal);
  await clock.advance(1_000);
  step.abort();
  await clock.advance(100);
  await leaving;
  expect(changes).toMatchObject({ leaveOver: false, leaveAgain: true });
  changes.forget(); // the wish has changed
  expect(changes.leaveAgain).toBe(false);
});

it.each<['good' | 'stop', number]>([
  ['good', 30_000],
  ['stop', 10_000],
])('a leave (%s) that hung is tried again within its own time', async (kind, limitMs) => {
  const { changes, clock, seen } = bench('IN DELETE Doing', 'coordinated');
  seen.other = 'IN Done';
  const leaving = changes.leave(kind, () => true, never);
  for (let n = 0; n < 50; n += 1) await clock.advance(100);
  await leaving;
  expect(changes).toMatchObject({ leaveOver: false, leaveAgain: true, leaveFailure: null });
  await clock.advance(limitMs - 5_100);
  expect(changes.leaveAgain).toBe(true);
  await clock.advance(200);
  expect(changes.leaveAgain).toBe(false);
});
