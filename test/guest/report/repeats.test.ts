import { expect, it } from 'vitest';
import { Repeats } from '../../../src/guest/report/repeats.ts';
import type { ConductorMessage } from '../../../src/trove/conductor-messages.ts';
import { ManualClock } from '../../base/manual-clock.ts';

const fault = (text: string): ConductorMessage => ({
  method: 'notify_exc_info',
  args: { text },
  context: {},
});
const end: ConductorMessage = { method: 'notify_end', args: { id: 1 }, context: {} };
const beat: ConductorMessage = { method: 'heartbeat', args: {}, context: {} };

function bench() {
  const clock = new ManualClock();
  return { clock, repeats: new Repeats(clock, 15_000) };
}

it('an end is said once more, a fault twice', async () => {
  const { clock, repeats } = bench();
  for (const one of [fault('a'), end, beat]) repeats.delivered(one, false);
  expect([repeats.due(), repeats.nextInMs]).toEqual([[], 15_000]);
  await clock.advance(15_000);
  expect(repeats.due()).toEqual([fault('a'), end]);
  expect([repeats.due(), repeats.nextInMs]).toEqual([[], 45_000]);
  await clock.advance(45_000);
  expect(repeats.due()).toEqual([fault('a')]);
  expect(repeats.nextInMs).toBeNull();
});

it('a newer fault takes the place of an older one, and what is said again begins nothing', async () => {
  const { clock, repeats } = bench();
  repeats.delivered(fault('old'), false);
  await clock.advance(14_000);
  repeats.delivered(fault('new'), false);
  await clock.advance(15_000);
  expect(repeats.due()).toEqual([fault('new')]);
  repeats.delivered(fault('new'), true);
  expect(repeats.nextInMs).toBe(45_000);
  repeats.delivered(end, true);
  expect(repeats.doubtful()).toEqual([fault('new')]);
});

it('a fault is said once more when Trove asks for something else, and not again after that', async () => {
  const { clock, repeats } = bench();
  repeats.delivered(fault('a'), false);
  await clock.advance(1_000);
  repeats.requested();
  await clock.advance(14_000);
  expect(repeats.due()).toEqual([fault('a')]);
  repeats.delivered(fault('a'), true);
  expect(repeats.nextInMs).toBeNull();

  repeats.delivered(fault('b'), false);
  await clock.advance(15_000);
  expect(repeats.due()).toEqual([fault('b')]);
  repeats.delivered(fault('b'), true);
  repeats.requested();
  expect(repeats.nextInMs).toBeNull();
});

it('a lost connection is doubted for a minute', async () => {
  const { clock, repeats } = bench();
  repeats.delivered(end, false);
  await clock.advance(59_999);
  expect(repeats.doubtful()).toEqual([end]);
  await clock.advance(1);
  expect(repeats.doubtful()).toEqual([]);
});

it('what an earlier agent has delivered is said at once, and a fault once more in its time', async () => {
  const clock = new ManualClock();
  await clock.advance(1_000_000);
  const before = [fault('a'), end, beat].map((message) => ({ message, agoMs: 20_000 }));
  const repeats = new Repeats(clock, 15_000, before);
  expect(repeats.pending).toEqual(before.slice(0, 2));
  expect(repeats.due()).toEqual([fault('a'), end]);
  for (const one of [fault('a'), end]) repeats.delivered(one, true);
  expect([repeats.pending, repeats.nextInMs]).toEqual([
    [{ message: fault('a'), agoMs: 0 }],
    40_000,
  ]);
  repeats.requested();
  expect([repeats.pending, repeats.nextInMs]).toEqual([[], null]);
});

it('what an earlier agent has delivered is said although Trove has asked for something else', () => {
  const repeats = new Repeats(new ManualClock(), 15_000, [{ message: fault('a'), agoMs: 90_000 }]);
  repeats.requested();
  expect(repeats.due()).toEqual([fault('a')]);
});

it('a new fault takes the place of one that an earlier agent has delivered', () => {
  const repeats = new Repeats(new ManualClock(), 15_000, [{ message: fault('old'), agoMs: 0 }]);
  repeats.delivered(fault('new'), false);
  expect(repeats.pending).toEqual([{ message: fault('new'), agoMs: 0 }]);
});
