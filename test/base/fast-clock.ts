import { systemClock, type Clock } from '../../src/base/clock.ts';

const TIMES = 100;

/** A clock on which time passes a hundred times as fast: limits end soon, and in their order. */
export const fastClock: Clock = {
  wall: () => systemClock.wall(),
  monotonic: () => systemClock.monotonic() * TIMES,
  after: (ms, run) => systemClock.after(ms / TIMES, run),
};
