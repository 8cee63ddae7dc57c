import type { Clock } from '../../../src/base/clock.ts';

/** A million sleeps of 1 µs each: what they take on a usual machine (ms). */
const PATIENCE = 80_000;
/** So much of each round is work (ms): a tenth, as measured. */
const ROUND = 20;
const WORK = 2;

/**
 * Works as a chmpx does that looks for an answer of its k2hdkc which came before it looked. Nothing
 * but SIGKILL stops it before its time, and then nothing follows.
 *
 * @returns until when (monotonic, ms).
 */
export function lookForAnswer(clock: Clock): number {
  const until = clock.monotonic() + PATIENCE;
  const look = (): void => {
    const rest = clock.monotonic() + WORK;
    while (clock.monotonic() < rest);
    if (rest < until) clock.after(ROUND - WORK, look);
  };
  look();
  return until;
}
