import { describe, expect, it } from 'vitest';
import {
  begin,
  cutShort,
  forgiven,
  gone,
  IDLE,
  isOver,
  refusal,
  RESTART_AGAIN_MS,
  settled,
  timeUp,
  type Leave,
  type LeaveKind,
  type LeaveScene,
} from '../../../src/ring/change/leave.ts';

const leaving = (kind: LeaveKind, deadline = 100): Leave => ({ is: 'leaving', kind, deadline });
const restarting = (kind: LeaveKind, deadline = 100): Leave => ({
  is: 'restarting',
  kind,
  deadline,
});
const LEFT: Leave = { is: 'left', kind: 'good', moved: true };
const unmoved = (kind: LeaveKind): Leave => ({ is: 'left', kind, moved: false });
const refused = (kind: LeaveKind, retryAt: number): Leave => ({
  is: 'refused',
  kind,
  why: 'why',
  retryAt,
});

describe('begin', () => {
  it.each<[string, Leave, Leave]>([
    ['from idle', IDLE, leaving('good', 1_010)],
    ['again, after it was left', LEFT, leaving('good', 1_010)],
    ['again, after it was refused', refused('good', Infinity), leaving('good', 1_010)],
    ['goes on with the deadline it has', leaving('good', 50), leaving('good', 50)],
    ['goes on after both started again', restarting('good', 50), leaving('good', 50)],
    ['a leave of another kind has its own time', restarting('stop', 50), leaving('good', 1_010)],
  ])('%s', (_, before, after) => {
    expect(begin(before, 'good', 10, 1_000)).toEqual(after);
  });
});

it.each<[LeaveKind, Leave, Leave]>([
  // kind, after a hang, after a program is gone
  ['good', restarting('good'), restarting('good')],
  ['stop', restarting('stop'), unmoved('stop')],
  ['restart', leaving('restart'), unmoved('restart')],
])('a leave (%s) that is cut short', (kind, hung, without) => {
  expect(cutShort(leaving(kind))).toEqual(hung);
  expect(gone(leaving(kind))).toEqual(without);
});

it('nothing but a leave under way is cut short', () => {
  for (const leave of [IDLE, LEFT, refused('good', 5), restarting('good')]) {
    expect(cutShort(leave)).toBe(leave);
    expect(gone(leave)).toBe(leave);
  }
});

it('timeUp: stop_db goes on, the others stay in the ring', () => {
  expect(timeUp('stop', 'why', 7)).toEqual(unmoved('stop'));
  expect(timeUp('good', 'why', 7)).toEqual(refused('good', Infinity));
  expect(timeUp('restart', 'why', 7)).toEqual(refused('restart', 7 + RESTART_AGAIN_MS));
});

describe('settled', () => {
  it.each<[string, Leave, Partial<LeaveScene> & { now?: number }, Leave]>([
    ['what is over stays', LEFT, {}, LEFT],
    ['… also without a wish', unmoved('restart'), { wanted: null }, unmoved('restart')],
    ['… but not when the node is to serve again', LEFT, { wanted: null }, IDLE],
    [
      'a refusal counts until it may be tried again',
      refused('restart', 8),
      { now: 7 },
      refused('restart', 8),
    ],
    ['and is forgotten then', refused('restart', 8), { now: 8 }, IDLE],
    [
      'both start again, in time',
      restarting('good'),
      { running: false, now: 99 },
      restarting('good'),
    ],
    [
      'time is up, and nothing runs yet: its data is still there',
      restarting('good'),
      { running: false, now: 100 },
      refused('good', Infinity),
    ],
    [
      'a crash loop: nothing can be moved',
      restarting('good'),
      { running: false, crashLoops: true, now: 99 },
      unmoved('good'),
    ],
    [
      'both run again after a crash loop, and the time is up',
      restarting('good'),
      { crashLoops: true, now: 100 },
      refused('good', Infinity),
    ],
    ['time is up, and both run', restarting('good'), { now: 100 }, refused('good', Infinity)],
    [
      'time is up for stop_db, and both run',
      restarting('stop'),
      { wanted: 'stop', now: 100 },
      unmoved('stop'),
    ],
    ['the wish asks for no leave any more', restarting('good'), { wanted: null }, IDLE],
    ['the wish asks for another leave', restarting('good'), { wanted: 'stop' }, IDLE],
    ['interrupted, and both run', leaving('stop'), { wanted: 'stop', now: 200 }, leaving('stop')],
    [
      'interrupted by a crash in stop_db',
      leaving('stop'),
      { running: false, wanted: 'stop' },
      unmoved('stop'),
    ],
    ['interrupted by a crash, for good', leaving('good'), { running: false }, restarting('good')],
    [
      'a restart is not what a wish asks for',
      leaving('restart'),
      { wanted: null },
      leaving('restart'),
    ],
  ])('%s', (_, before, { now = 0, ...scene }, after) => {
    const usual: LeaveScene = { running: true, crashLoops: false, wanted: 'good' };
    const leave = settled(before, { ...usual, ...scene }, now);
    if (after.is === 'refused')
      expect(leave).toMatchObject({ ...after, why: expect.any(String) as string });
    else expect(leave).toEqual(after);
  });
});

it('forgiven: a leave under way goes on, what failed or is over does not count', () => {
  expect(forgiven(restarting('good'))).toEqual(restarting('good'));
  expect(forgiven(leaving('stop'))).toEqual(leaving('stop'));
  expect(forgiven(LEFT)).toEqual(LEFT);
  for (const leave of [IDLE, unmoved('stop'), leaving('restart'), refused('good', Infinity)]) {
    expect(forgiven(leave)).toEqual(IDLE);
  }
});

it('isOver and refusal', () => {
  expect([IDLE, leaving('stop'), restarting('stop'), LEFT, unmoved('stop')].map(isOver)).toEqual([
    ...[false, false, false],
    ...[true, true],
  ]);
  expect(isOver(refused('good', Infinity))).toBe(true);
  expect(isOver(refused('restart', 5)), 'a restart that was refused').toBe(false);
  expect([refusal(refused('good', 5)), refusal(LEFT)]).toEqual(['why', null]);
});
