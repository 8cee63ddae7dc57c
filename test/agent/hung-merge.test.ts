import { expect, it } from 'vitest';
import { HungMerge } from '../../src/agent/hung-merge.ts';
import { ring } from '../cluster/rings.ts';

/** Whether this node hung, after these statuses of its own; `-` is a status that cannot be read. */
function hung(...words: string[]): boolean {
  const merge = new HungMerge();
  for (const one of words) merge.note(one === '-' ? null : ring('a', one, 'IN Doing'));
  return merge.hung;
}

it.each<[string, boolean, string[]]>([
  ['still Doing when the merge was aborted', true, ['IN Pending', 'IN Doing', 'IN Pending']],
  ['… when it joined', true, ['IN ADD Doing', 'IN ADD Pending', 'OUT']],
  ['… when it left', true, ['IN DELETE Doing', 'IN DELETE Pending', 'IN Pending', 'IN']],
  ['… and one look in between failed', true, ['IN Doing', '-', 'IN Pending']],
  ['Done when the merge was aborted: another hung', false, ['IN Doing', 'IN Done', 'IN Pending']],
  ['merged at the next try', false, ['IN Doing', 'IN Pending', 'IN Doing', 'IN Done', 'IN']],
  ['hung in both tries', true, ['IN Doing', 'IN Pending', 'IN Doing', 'IN Pending', 'IN']],
  ['a merge as it should be', false, ['IN', 'IN Pending', 'IN Doing', 'IN Done', 'IN']],
])('%s: %s', (_, expected, words) => {
  expect(hung(...words)).toBe(expected);
});

it('is over when the programs have stopped', () => {
  const merge = new HungMerge();
  merge.note(ring('a', 'IN Doing'));
  merge.note(ring('a', 'IN Pending'));
  merge.forget();
  expect(merge.hung).toBe(false);
  merge.note(ring('a', 'IN Pending'));
  expect(merge.hung).toBe(false);
});
