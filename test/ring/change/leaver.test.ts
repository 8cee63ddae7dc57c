import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/base/backoff.ts';
import { JoinRetry } from '../../../src/ring/change/join-retry.ts';
import { IDLE, type Leave, type LeaveKind } from '../../../src/ring/change/leave.ts';
import { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import type { MergeMode } from '../../../src/ring/merge-mode.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';
import { sightOf, WELL } from '../sight-of.ts';

const LIMITS = { stop: 10_000, restart: 20_000, good: 170_000 };
const never = new AbortController().signal;
const silence = new Promise<never>(() => undefined);

interface Seen {
  words: string | null;
  other: string;
  /** Of node a, instead of its own. */
  seed?: string;
  hangs: boolean;
  /** The control ports take a connection and say nothing, and chmpxstatus does not end. */
  silent: boolean;
}

/** The changes of node a in a ring whose status a test writes, and what it is sent. */
function bench(words: string, mode: MergeMode = 'automatic', unfinished: Leave = IDLE) {
  const clock = new ManualClock();
  const { log, texts } = recordingLog();
  const sent: string[] = [];
  const kept: Leave[] = [];
  const seen: Seen = { words, other: 'IN', hangs: false, silent: false };
  const seenRing = (own: string): RingStatus => {
    const status = ring('a', own, seen.other);
    return { ...status, self: { ...status.self, seed: seen.seed ?? status.self.seed } };
  };
  const sight = sightOf(
    () => Promise.resolve(seen.words === null ? null : seenRing(seen.words)),
    clock,
    {
      ownMerge: {
        ...WELL,
        get hangs() {
          return seen.hangs;
        },
      },
    },
  );
  const changes = new RingChanges({
    mode,
    sight,
    control: {
      send: ({ command, at }) => {
        sent.push(`${command} ${at.name}`);
        if (command === 'ABORTMERGE') seen.words = seen.other = 'IN Pending';
        return seen.silent ? silence : Promise.resolve('SUCCEED');
      },
    },
    record: {
      keep: (leave) => {
        kept.push(leave);
        return Promise.resolve();
      },
    },
    unfinished,
    pollMs: 100,
    leaveLimits: LIMITS,
    stuckAfterMs: 5_000,
    changeWaitMs: 60_000,
    retry: new JoinRetry(new Backoff({ first: 1, cap: 1 }, () => 0), clock),
    patience: { tailMs: 32_000, mergeMs: 300_000, tries: 2 },
    role: () => new Set(),
    clock,
    log,
  });
  const state = (wanted: LeaveKind | null = null, running = true, crashLoops = false): Leave =>
    changes.leaveState({ running, crashLoops, wanted });
  /** Leaves, while the clock goes on until it is over; resolves with how long that took (ms). */
  const leave = async (kind: LeaveKind, isUp = () => true, signal = never): Promise<number> => {
    const begun = clock.monotonic();
    const run = { over: false };
    const leaving = changes.leave(kind, isUp, signal).then(() => {
      run.over = true;
    });
    while (!run.over) await clock.advance(100);
    await leaving;
    return clock.monotonic() - begun;
  };
  return { changes, clock, sent, seen, texts, kept, state, leave };
}

describe('the time of a leave', () => {
  // Leading, undoing and opening the ring again, all together, have the limit of its kind.
  it.each<[LeaveKind, MergeMode, string]>([
    ['stop', 'coordinated', 'IN'],
    ['good', 'coordinated', 'IN'],
    ['stop', 'coordinated', 'IN DELETE Pending'],
    ['good', 'coordinated', 'IN DELETE Pending'],
    ['stop', 'coordinated', 'IN DELETE Doing'],
    ['good', 'coordinated', 'IN DELETE Doing'],
    ['stop', 'automatic', 'IN'],
    ['good', 'automatic', 'IN DELETE Doing'],
  ])('%s, %s: is kept by a ring that does not react, seen as %s', async (kind, mode, words) => {
    const { leave, state } = bench(words, mode);
    const tookMs = await leave(kind);
    expect(tookMs).toBeGreaterThanOrEqual(LIMITS[kind] * 0.6);
    expect(tookMs).toBeLessThanOrEqual(LIMITS[kind] + 100);
    expect(state(kind)).toMatchObject(
      kind === 'stop' ? { is: 'left', moved: false } : { is: 'refused', kind },
    );
  });

  it.each<[LeaveKind, MergeMode]>([
    ['stop', 'coordinated'],
    ['good', 'coordinated'],
    ['stop', 'automatic'],
    ['good', 'automatic'],
  ])('%s, %s: is kept when nobody answers', async (kind, mode) => {
    const { clock, leave, seen, state } = bench('IN', mode);
    await clock.advance(1_000);
    const tookMs = leave(kind);
    await clock.advance(0);
    seen.silent = true;
    expect(await tookMs).toBeLessThanOrEqual(LIMITS[kind] + 100);
    expect(state(kind)).toMatchObject(
      kind === 'stop' ? { is: 'left', moved: false } : { is: 'refused', kind },
    );
  });

  it('leaves enough of it to take the change back', async () => {
    const { leave, sent, seen } = bench('IN', 'coordinated');
    seen.other = 'IN';
    await leave('stop');
    expect(sent[0]).toBe('SERVICEOUT a');
    const { leave: leaveAgain, sent: back } = bench('IN DELETE Pending', 'coordinated');
    await leaveAgain('stop');
    expect(back).toContain('SERVICEIN a');
  });

  it('counts on over a start of both programs', async () => {
    const { changes, clock, seen, state } = bench('IN DELETE Doing', 'coordinated');
    seen.hangs = true;
    const leaving = changes.leave('good', () => true, never);
    for (let n = 0; n < 50; n += 1) await clock.advance(100);
    await leaving;
    const before = state('good');
    expect(before).toMatchObject({ is: 'restarting', kind: 'good', deadline: LIMITS.good });
    seen.words = 'IN';
    const again = changes.leave('good', () => true, never);
    await clock.advance(0);
    expect(state('good')).toEqual({ ...before, is: 'leaving' });
    seen.words = 'OUT';
    await clock.advance(2_000);
    await again;
  });
});

it('a restart that could not leave the ring is forgotten after a while, and tried again', async () => {
  const { changes, clock, leave, sent, seen, texts, state } = bench('IN DELETE Doing');
  await leave('restart');
  const why = 'still [SERVICE IN][UP][DELETE][Doing][NoSuspend] after 20 s';
  expect(state()).toMatchObject({ is: 'refused', kind: 'restart', why });
  expect(texts).toEqual([
    'the ring was not left: nothing restarts, and it is tried again after 15 minutes',
  ]);
  await clock.advance(899_000);
  expect(state()).toMatchObject({ why });
  await clock.advance(2_000);
  expect(state()).toEqual(IDLE);
  seen.words = 'IN';
  const again = changes.leave('restart', () => true, never);
  await clock.advance(0);
  seen.words = 'OUT';
  await clock.advance(100);
  await again;
  expect(sent).toEqual(['SERVICEOUT a']);
  expect(state()).toEqual({ is: 'left', kind: 'restart', moved: true });
});

it('an automatic leave that nobody completes gets COMPMERGE, again after 15 s, until its time is up', async () => {
  const { changes, clock, sent, state } = bench('IN DELETE Done');
  const leaving = changes.leave('restart', () => true, never);
  await clock.advance(4_900);
  expect(sent).toEqual([]);
  await clock.advance(14_000);
  expect(sent).toEqual(['COMPMERGE a']);
  await clock.advance(1_200);
  await leaving;
  expect(state()).toMatchObject({ why: expect.stringContaining('after 20 s') as string });
});

it('no leave gets COMPMERGE while data moves', async () => {
  const { changes, clock, sent, seen, state } = bench('IN DELETE Doing');
  const leaving = changes.leave('stop', () => true, never);
  await clock.advance(8_000);
  seen.words = 'IN DELETE Done';
  await clock.advance(1_000);
  seen.words = 'OUT';
  await clock.advance(200);
  await leaving;
  expect(sent).toEqual([]);
  expect(state('stop')).toEqual({ is: 'left', kind: 'stop', moved: true });
});

it('a node that leaves for good and crashes has not left: it leaves again while there is time', async () => {
  const { changes, clock, seen, state } = bench('IN DELETE Doing');
  let up = true;
  const leaving = changes.leave('good', () => up, never);
  await clock.advance(1_000);
  seen.words = null;
  await clock.advance(1_000);
  up = false;
  await clock.advance(100);
  await leaving;
  expect(state('good', false)).toMatchObject({ is: 'restarting' });
  await clock.advance(167_800);
  expect(state('good', false)).toMatchObject({ is: 'restarting' });
  await clock.advance(200);
  expect(state('good', false), 'its data is still there').toMatchObject({ is: 'refused' });
});

it('a node that crashes again and again has nothing that it could move: it goes when the time is up', async () => {
  const { changes, clock, state } = bench('IN');
  const leaving = changes.leave('good', () => false, never);
  await clock.advance(100);
  await leaving;
  expect(state('good', false)).toMatchObject({ is: 'restarting' });
  await clock.advance(170_000);
  expect(state('good', false, true)).toEqual({ is: 'left', kind: 'good', moved: false });
});

it.each<['good' | 'stop', string | null, boolean]>([
  ['good', 'OUT', true],
  ['stop', null, false],
])('%s is over with the status %s', async (kind, words, moved) => {
  const { changes, clock, seen, state } = bench('IN DELETE Doing');
  let areUp = true;
  const leaving = changes.leave(kind, () => areUp, never);
  await clock.advance(1_000);
  seen.words = words;
  areUp = words !== null;
  await clock.advance(100);
  await leaving;
  expect(state(kind)).toEqual({ is: 'left', kind, moved });
});

it('an interrupted leave is still to be done, until the wish changes', async () => {
  const { changes, clock, state } = bench('IN DELETE Doing');
  const step = new AbortController();
  const leaving = changes.leave('good', () => true, step.signal);
  await clock.advance(1_000);
  step.abort();
  await clock.advance(100);
  await leaving;
  expect(state('good')).toMatchObject({ is: 'leaving' });
  changes.forgive(); // the same wish, said again
  expect(state('good')).toMatchObject({ is: 'leaving' });
  expect(state('good', false), 'by a crash').toMatchObject({ is: 'restarting' });
  changes.starting(true);
  expect(state('good')).toMatchObject({ is: 'restarting' });
  expect(state(null)).toEqual(IDLE);
});

it('is forgotten when the programs start to serve', async () => {
  const { changes, leave, state } = bench('IN DELETE Doing');
  await leave('stop');
  expect(state('stop')).toMatchObject({ is: 'left' });
  changes.starting(true);
  expect(state('stop')).toMatchObject({ is: 'left' });
  changes.starting(false);
  expect(state('stop')).toEqual(IDLE);
});

it('a restart has one try, however the merge ended', async () => {
  const { leave, state, sent, seen } = bench('IN DELETE Doing', 'coordinated');
  seen.hangs = true;
  await leave('restart');
  expect(sent.filter((order) => order.startsWith('ABORTMERGE'))).toHaveLength(1);
  expect(state()).toMatchObject({ is: 'refused', kind: 'restart' });
});

it('waits for the change of another, for a minute or half of its own time', async () => {
  for (const [kind, waitMs] of [
    ['stop', 5_000],
    ['good', 60_000],
  ] as const) {
    const { changes, clock, sent, seen } = bench('IN', 'automatic');
    seen.other = 'IN ADD Doing';
    void changes.leave(kind, () => true, never);
    await clock.advance(waitMs - 200);
    expect(sent).toEqual([]);
    await clock.advance(400);
    expect(sent[0]).toBe('SERVICEOUT a');
  }
});

it('waits after a try that was undone, while servers that hung start again', async () => {
  const { changes, clock, sent, seen } = bench('IN', 'coordinated');
  seen.words = 'IN DELETE Pending';
  void changes.leave('good', () => true, never);
  // Nothing moves for 30 s: the change is taken back.
  while (!sent.includes('SERVICEIN a')) await clock.advance(100);
  seen.words = 'IN';
  await clock.advance(1_000);
  sent.length = 0;
  await clock.advance(28_000);
  expect(sent).toEqual([]);
  await clock.advance(3_000);
  expect(sent[0]).toBe('SERVICEOUT a');
});

it('keeps what it is at for the next agent before it gives an order', async () => {
  const { changes, clock, kept, sent, state } = bench('IN');
  void changes.leave('good', () => true, never);
  expect(kept).toContainEqual({ is: 'leaving', kind: 'good', deadline: LIMITS.good });
  expect(sent).toEqual([]);
  await clock.advance(100);
  expect(sent[0]).toBe('SERVICEOUT a');
  expect(state('good')).toMatchObject({ is: 'leaving' });
});

it('goes on with what the agent before it was at', async () => {
  const unfinished: Leave = { is: 'restarting', kind: 'good', deadline: 5_000 };
  const { clock, state, leave } = bench('IN DELETE Doing', 'automatic', unfinished);
  expect(state('good', false)).toEqual(unfinished);
  expect(await leave('good')).toBeLessThanOrEqual(5_100);
  expect(clock.monotonic()).toBeGreaterThanOrEqual(5_000);
  expect(state('good')).toMatchObject({ is: 'refused' });
});

it('an automatic leave gets COMPMERGE every 15 s', async () => {
  const { changes, clock, sent } = bench('IN DELETE Done');
  void changes.leave('good', () => true, never);
  await clock.advance(5_000);
  expect(sent).toEqual([]);
  await clock.advance(200);
  expect(sent).toHaveLength(1);
  await clock.advance(14_800);
  expect(sent).toHaveLength(1);
  await clock.advance(400);
  expect(sent).toEqual(['COMPMERGE a', 'COMPMERGE a']);
});

it('does not leave by a command without the custom id seed that it needs', async () => {
  const { changes, sent, seen } = bench('IN');
  seen.seed = '';
  await expect(changes.leave('good', () => true, never)).rejects.toThrow('no custom id seed');
  expect(sent).toEqual([]);
});

it('a restart whose merge was undone is not tried again at once', async () => {
  const { changes, clock, sent, seen, state } = bench('IN DELETE Doing', 'coordinated');
  void changes.leave('restart', () => true, never);
  while (!sent.includes('ABORTMERGE a')) await clock.advance(100);
  seen.words = seen.other = 'IN';
  await clock.advance(1_000);
  expect(state()).toMatchObject({ is: 'refused', kind: 'restart' });
  expect(sent).toEqual(['ABORTMERGE a']);
});

it('is over as soon as its coordinated merge is', async () => {
  const { changes, clock, sent, seen, state } = bench('IN', 'coordinated');
  void changes.leave('good', () => true, never);
  await clock.advance(100);
  expect(sent).toContain('SERVICEOUT a');
  seen.words = 'OUT';
  await clock.advance(1_000);
  expect(state('good')).toEqual({ is: 'left', kind: 'good', moved: true });
});

it('a wish that is said again is tried again', async () => {
  const { changes, leave, state } = bench('IN DELETE Doing');
  await leave('good');
  expect(state('good')).toMatchObject({ is: 'refused' });
  changes.forgive();
  expect(state('good')).toEqual(IDLE);
});

it('gives no order beside those of the lead of its coordinated merge', async () => {
  const { changes, clock, sent, state } = bench('IN', 'coordinated');
  void changes.leave('restart', () => true, never);
  await clock.advance(13_900);
  const led = sent.length;
  expect(led).toBeGreaterThan(0);
  await clock.advance(2_000);
  expect(state()).toMatchObject({ is: 'refused', kind: 'restart' });
  expect(sent).toHaveLength(led);
});

it('an automatic leave completes no merge in which this node is not Done', async () => {
  const { changes, clock, sent, seen } = bench('IN DELETE Pending');
  seen.other = 'IN Done';
  void changes.leave('good', () => true, never);
  await clock.advance(8_000);
  expect(sent).toEqual([]);
});

it('takes a leave back in which nothing at all has moved for 30 s', async () => {
  const { changes, clock, sent } = bench('IN DELETE Pending', 'coordinated');
  void changes.leave('good', () => true, never);
  await clock.advance(29_900);
  expect(sent).not.toContain('SERVICEIN a');
  await clock.advance(400);
  expect(sent).toContain('SERVICEIN a');
});

it.each(['stop', 'good'] as const)(
  'a leave (%s) that the next agent goes on with keeps its deadline when its operation is continued',
  async (kind) => {
    const unfinished: Leave = { is: 'leaving', kind, deadline: 3_000 };
    const { changes, clock, leave } = bench('IN DELETE Doing', 'automatic', unfinished);
    changes.forgive();
    await leave(kind);
    expect(clock.monotonic()).toBeLessThanOrEqual(3_100);
  },
);
