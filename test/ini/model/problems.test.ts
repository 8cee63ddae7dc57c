import { expect, it } from 'vitest';
import { firstProblems, notSane, shown } from '../../../src/ini/model/problems.ts';

it('shows other people’s text in one line, in quotes, cut at 80 characters', () => {
  expect(shown('a "b"\n\u0007')).toBe(String.raw`"a \"b\"\n\u0007"`);
  expect(shown('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`);
  expect(shown('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`);
});

it('tells twenty problems, and how many more there are', () => {
  const all = Array.from({ length: 22 }, (_, n) => notSane(`problem ${n}`));
  expect(firstProblems(all.slice(0, 20))).toEqual(all.slice(0, 20));
  expect(firstProblems(all)).toEqual([...all.slice(0, 20), notSane('and 2 more problems')]);
  expect(firstProblems([])).toEqual([]);
});
