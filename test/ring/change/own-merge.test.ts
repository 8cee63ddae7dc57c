import { expect, it } from 'vitest';
import { OwnMerge } from '../../../src/ring/change/own-merge.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { ring } from '../rings.ts';

/** What both programs use of a core, in milliseconds per second (measured: docs/merge.md). */
interface Use {
  chmpx: number;
  k2hdkc: number;
}
const IDLE: Use = { chmpx: 1.4, k2hdkc: 1.4 };
const WORKS: Use = { chmpx: 170, k2hdkc: 250 };
const LOST: Use = { chmpx: 90, k2hdkc: 1.4 };

/** A node whose statuses are shown half a second apart. */
class Watched {
  readonly merge: OwnMerge;
  #now = 0;
  #used: Use = { chmpx: 0, k2hdkc: 0 };

  constructor() {
    // As in /proc, in steps of 10 ms.
    const ticks = (name: keyof Use) => () => Math.floor(this.#used[name] / 10) * 10;
    this.merge = new OwnMerge({
      cpuMs: { chmpx: ticks('chmpx'), k2hdkc: ticks('k2hdkc') },
      hangAfter: { first: 8_000, cap: 60_000 },
      clock: { ...systemClock, monotonic: () => this.#now },
    });
  }

  /** For so long (s) it shows this, `-` for a status that cannot be read, and another server that. */
  sees(words: string, seconds = 0.5, use = IDLE, other = 'IN Done'): this {
    for (const end = this.#now + seconds * 1_000; this.#now < end;) {
      this.sleeps(0.5, use);
      if (words !== '-') this.merge.look(ring('a', words, other));
    }
    return this;
  }

  /** Nobody looks for so long (s). */
  sleeps(seconds: number, use = IDLE): this {
    this.#now += seconds * 1_000;
    this.#used.chmpx += use.chmpx * seconds;
    this.#used.k2hdkc += use.k2hdkc * seconds;
    return this;
  }

  /** Both programs start again, and wait for the next try. */
  restarts(): this {
    this.merge.forget();
    this.#used = { chmpx: 0, k2hdkc: 0 };
    return this.sees('IN Pending');
  }
}

const DOING = 'IN Doing';
const doing = (seconds: number, use = IDLE): Watched =>
  new Watched().sees('IN Pending').sees(DOING, seconds, use);
/** Back after so many tries in a row that hung. */
const retried = (tries: number): Watched =>
  tries === 0
    ? new Watched().sees('IN Pending')
    : retried(tries - 1)
        .sees(DOING, 100)
        .sees('IN Pending')
        .restarts();

it.each<[string, boolean, Watched]>([
  ['neither does anything', true, doing(9)],
  ['… for a while', false, doing(7)],
  ['… and a look in between failed', true, doing(5).sees('-').sees(DOING, 4)],
  ['chmpx looks for the answer of k2hdkc', true, doing(4, LOST)],
  ['… for a moment', false, doing(2.5, LOST)],
  ['… after k2hdkc has worked', true, doing(60, WORKS).sees(DOING, 4, LOST)],
  ['both work', false, doing(60, WORKS)],
  ['both worked until now', false, doing(60, WORKS).sees(DOING, 7)],
  ['both have stopped working', true, doing(60, WORKS).sees(DOING, 9)],
  ['k2hdkc works for others, and uses 5 % of a core', false, doing(60, { ...IDLE, k2hdkc: 50 })],
  ['others come first', false, doing(1).sees(DOING, 60, IDLE, DOING)],
  ['… and were served for long', true, doing(1).sees(DOING, 60, IDLE, DOING).sees(DOING, 9)],
  ['… but it looks for an answer', true, doing(1).sees(DOING, 4, LOST, DOING)],
  ['it waits for the merge to begin', false, new Watched().sees('IN Pending', 60)],
  ['it is Done and waits for others', false, doing(9).sees('IN Done', 60)],
  ['the VM stood still', false, doing(1).sleeps(60).sees(DOING, 6)],
  ['once more: it has twice the time', false, retried(1).sees(DOING, 15.5)],
  ['… and no more', true, retried(1).sees(DOING, 17)],
  ['… also for the answer', false, retried(1).sees(DOING, 5.5, LOST)],
  ['it did not hang when both started again', true, doing(2).restarts().sees(DOING, 9)],
  ['again and again: it has the longest time', false, retried(5).sees(DOING, 59)],
  ['… and no more', true, retried(5).sees(DOING, 61)],
  ['it merged meanwhile', true, retried(1).sees(DOING).sees('IN Done').sees('IN').sees(DOING, 9)],
])('hangs: %s: %s', (_, expected, { merge }) => {
  expect(merge.hangs).toBe(expected);
});

it.each<[string, boolean, Watched]>([
  ['when the merge was aborted', true, doing(9).sees('IN Pending')],
  ['… a little before its time was up', true, doing(5).sees('IN Pending')],
  ['… long before its time was up', false, doing(3).sees('IN Pending')],
  ['… and it looked for the answer', true, doing(3.5, LOST).sees('IN Pending')],
  ['… when it joined', true, doing(1).sees('IN ADD Doing', 9).sees('IN ADD Pending').sees('OUT')],
  ['… when it left', true, doing(9).sees('IN DELETE Pending').sees('IN')],
  ['it is Doing still', false, doing(9)],
  ['it was Doing for a moment', false, doing(2).sees('IN Pending')],
  ['it worked', false, doing(30, WORKS).sees('IN Pending')],
  ['others came first', false, doing(1).sees(DOING, 20, IDLE, DOING).sees('IN Pending')],
  ['… but it waited too long', true, doing(1).sees(DOING, 25, IDLE, DOING).sees('IN Pending')],
  ['it was Done: another hung', false, doing(1).sees('IN Done', 9).sees('IN Pending')],
  ['it merged at the next try', false, retried(1).sees(DOING).sees('IN Done').sees('IN')],
  ['both tries', true, doing(9).sees('IN Pending').sees(DOING, 9).sees('IN Pending').sees('IN')],
  ['both programs have started again', false, retried(1)],
])('hung: %s: %s', (_, expected, { merge }) => {
  expect(merge.hung).toBe(expected);
});

/** A node that is Doing, and what its programs have used by then (ms), a second apart. */
function used(program: keyof Use, ...steps: number[]): boolean {
  const use = { chmpx: 0, k2hdkc: 0 };
  let now = 0;
  const merge = new OwnMerge({
    cpuMs: { chmpx: () => use.chmpx, k2hdkc: () => use.k2hdkc },
    hangAfter: { first: 1_000 * steps.length, cap: 1_000 * steps.length },
    clock: { ...systemClock, monotonic: () => now },
  });
  // Merging alone it would hang without work of chmpx too.
  const other = program === 'chmpx' ? DOING : 'IN Done';
  merge.look(ring('a', DOING, other));
  for (const ms of steps) {
    now += 1_000;
    use[program] = ms;
    merge.look(ring('a', DOING, other));
  }
  return merge.hangs;
}

it.each<[string, keyof Use, number[], boolean]>([
  ['20 ms of k2hdkc are nothing', 'k2hdkc', [20], true],
  ['21 ms are work', 'k2hdkc', [21], false],
  ['so is more than 1 % of a long time, and 20 ms', 'k2hdkc', [0, 31], false],
  ['and no less', 'k2hdkc', [0, 30], true],
  ['20 ms of chmpx, and 4 % of a long time, are nothing', 'chmpx', [0, 0, 140], false],
  ['more is a search for an answer', 'chmpx', [0, 0, 141], true],
])('%s', (_, program, steps, hangs) => {
  expect(used(program, ...steps)).toBe(hangs);
});

it.each([
  [1_000, 1_000],
  [900, 900],
  [1_100, 1_000],
])('a pause of %d ms in watching counts as %d', (pauseMs, countedMs) => {
  const hangs = (first: number): boolean => {
    let now = 0;
    const merge = new OwnMerge({
      cpuMs: { chmpx: () => 0, k2hdkc: () => 0 },
      hangAfter: { first, cap: first },
      clock: { ...systemClock, monotonic: () => now },
    });
    merge.look(ring('a', DOING));
    now = pauseMs;
    merge.look(ring('a', DOING));
    return merge.hangs;
  };
  expect(hangs(countedMs)).toBe(true);
  expect(hangs(countedMs + 1)).toBe(false);
});
