import { systemClock, type Clock } from '../../src/base/clock.ts';

/** The clock of this machine, on which waiting takes a hundredth: for pauses between retries. */
export const hurriedClock: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(ms / 100, run),
};
