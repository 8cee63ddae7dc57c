import { expect, it } from 'vitest';
import { HungMerge } from '../../src/agent/hung-merge.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ring } from '../cluster/rings.ts';

/**
 * Whether this node hung, after these statuses of its own, 3 s apart, while the other is Done; `-` is
 * a status that cannot be read.
 */
function hung(...words: string[]): boolean {
  let now = 0;
  const merge = new HungMerge({ ...systemClock, monotonic: () => now });
  for (const one of words) {
    now += 3_000;
    merge.note(one === '-' ? null : ring('a', one, 'IN Done'));
  }
  return merge.hung;
}

const LATE = ['IN Doing', 'IN Doing', 'IN Doing'];

it.each<[string, boolean, string[]]>([
  ['still Doing when the merge was aborted', true, [...LATE, 'IN Pending']],
  ['… when it joined', true, [...LATE, 'IN ADD Pending', 'OUT']],
  ['… when it left', true, [...LATE, 'IN DELETE Pending', 'IN Pending', 'IN']],
  ['… and one look in between failed', true, [...LATE, '-', 'IN Pending']],
  ['Doing when the others had just become Done', false, ['IN Doing', 'IN Pending']],
  ['Done when the merge was aborted: another hung', false, ['IN Doing', 'IN Done', 'IN Pending']],
  ['merged at the next try', false, [...LATE, 'IN Pending', 'IN Doing', 'IN Done', 'IN']],
  ['hung in both tries', true, [...LATE, 'IN Pending', ...LATE, 'IN Pending', 'IN']],
  ['a merge as it should be', false, ['IN', 'IN Pending', 'IN Doing', 'IN Done', 'IN']],
])('%s: %s', (_, expected, words) => {
  expect(hung(...words)).toBe(expected);
});

it('is not, when nobody was Done: the whole merge was aborted', () => {
  let now = 0;
  const merge = new HungMerge({ ...systemClock, monotonic: () => (now += 3_000) });
  for (const one of [...LATE, 'IN Pending']) merge.note(ring('a', one, 'IN Doing'));
  expect(merge.hung).toBe(false);
});

it('is, when it merged alone, back from a crash', () => {
  let now = 0;
  const merge = new HungMerge({ ...systemClock, monotonic: () => (now += 3_000) });
  for (const one of [...LATE, 'IN Pending']) merge.note(ring('a', one, 'IN', 'IN DOWN'));
  expect(merge.hung).toBe(true);
});

it('is over when the programs have stopped', () => {
  let now = 0;
  const merge = new HungMerge({ ...systemClock, monotonic: () => (now += 3_000) });
  const see = (...words: string[]): void =>
    words.forEach((one) => merge.note(ring('a', one, 'IN Done')));
  see(...LATE, 'IN Pending');
  expect(merge.hung).toBe(true);
  merge.forget();
  expect(merge.hung).toBe(false);
  see('IN Pending');
  expect(merge.hung).toBe(false);
});
