import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { keepOpen, type Losable } from '../../src/amqp/keep-open.ts';
import { Backoff } from '../../src/base/backoff.ts';
import { ManualClock } from '../base/manual-clock.ts';

/** Something that a test opens and loses. */
class Door implements Losable {
  readonly lost: Promise<string>;
  lose: () => void = () => undefined;

  constructor() {
    this.lost = new Promise((resolve) => {
      this.lose = () => {
        resolve('slammed');
      };
    });
  }
}

interface Series {
  clock: ManualClock;
  /** When each attempt was made. */
  attempts: number[];
  doors: Door[];
  lines: string[];
  stop: AbortController;
  ended: Promise<void>;
}

/** A series of attempts of which those that `fails` says fail. */
function series(fails: (attempt: number) => boolean): Series {
  const clock = new ManualClock();
  const attempts: number[] = [];
  const doors: Door[] = [];
  const lines: string[] = [];
  const stop = new AbortController();
  const ended = keepOpen({
    what: 'door',
    open: () => {
      attempts.push(clock.monotonic());
      if (fails(attempts.length)) return Promise.reject(new Error('locked'));
      const door = new Door();
      doors.push(door);
      return Promise.resolve(door);
    },
    use: async (door) => {
      await door.lost;
    },
    signal: stop.signal,
    backoff: new Backoff({ first: 0, second: 250, cap: 4_000, jitter: 0 }, () => 0.5),
    clock,
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }),
  });
  return { clock, attempts, doors, lines, stop, ended };
}

describe('keepOpen', () => {
  it('tries again at once, then ever later, never later than the cap', async () => {
    const { clock, attempts, stop, ended } = series(() => true);
    await clock.advance(11_750);
    expect(attempts).toEqual([0, 0, 250, 750, 1_750, 3_750, 7_750, 11_750]);
    stop.abort();
    await ended;
  });

  it('logs a failure that repeats itself once', async () => {
    const { clock, lines, stop, ended } = series(() => true);
    await clock.advance(10_000);
    expect(lines).toHaveLength(1);
    stop.abort();
    await ended;
  });

  it('logs a loss that repeats itself once, until there was a good run', async () => {
    const { clock, lines, doors, stop, ended } = series(() => false);
    for (let n = 0; n < 4; n++) {
      await clock.advance(4_000);
      doors[n]?.lose();
    }
    await clock.advance(4_000);
    expect(doors).toHaveLength(5);
    expect(lines).toHaveLength(1);
    await clock.advance(5_000);
    doors[4]?.lose();
    await clock.advance(0);
    expect(lines).toHaveLength(2);
    stop.abort();
    doors.at(-1)?.lose();
    await ended;
  });

  it('starts over after a good run, and only after one', async () => {
    const { clock, attempts, doors, stop, ended } = series((attempt) => attempt <= 3);
    await clock.advance(750);
    expect(doors).toHaveLength(1);
    doors[0]?.lose();
    await clock.advance(1_000);
    expect(attempts.slice(3)).toEqual([750, 1_750]);
    await clock.advance(5_000);
    doors[1]?.lose();
    await clock.advance(0);
    expect(attempts.slice(5)).toEqual([6_750]);
    stop.abort();
    doors[2]?.lose();
    await ended;
  });

  it('ends in the middle of a wait', async () => {
    const { clock, attempts, stop, ended } = series(() => true);
    await clock.advance(800);
    stop.abort();
    await ended;
    await clock.advance(10_000);
    expect(attempts).toHaveLength(4);
  });
});
