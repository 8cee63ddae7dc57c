import { expect, it } from 'vitest';
import { viewDifferences } from '../../../src/ring/watch/ring-views.ts';
import { ring } from '../rings.ts';

const view = (...words: string[]) => ring('a', ...words).servers;

it.each<[string, string[], string[]]>([
  ['the same', ['IN', 'IN'], ['IN', 'IN']],
  ['who has left is still listed', ['IN', 'OUT DOWN'], ['IN']],
  ['who is to come is listed already', ['IN'], ['IN', 'OUT DOWN']],
])('no difference: %s', (_, own, other) => {
  expect(viewDifferences(view(...own), view(...other))).toEqual([]);
});

it('names each server of which the two disagree', () => {
  const differences = viewDifferences(view('IN', 'IN', 'IN'), view('IN', 'OUT DOWN'));
  expect(differences).toEqual([
    'b is [SERVICE OUT][DOWN][n/a][Nothing][NoSuspend] there and [SERVICE IN][UP][n/a][Nothing][NoSuspend] here',
    'c is unknown there and [SERVICE IN][UP][n/a][Nothing][NoSuspend] here',
  ]);
});

it('quotes a name that only the other knows: it is text from the network', () => {
  const other = view('IN', 'IN').map((node) => ({ ...node, name: 'x\ny' }));
  const [difference] = viewDifferences(view('IN'), other);
  expect(difference).toMatch(/^"x\\ny" is \[SERVICE IN\].* there and unknown here$/);
});
