import { describe, expect, it } from 'vitest';
import { serverKey } from '../../../src/ring/ring.ts';
import { ringSides } from '../../../src/ring/watch/ring-split.ts';
import { ring } from '../rings.ts';

/** `a: b c` says that a answers and takes b and c for down; of five servers others do not answer. */
function sides(...answers: string[]): string[] | null {
  const views = answers.map((answer) => {
    const [of = '', lost = ''] = answer.split(':');
    const words = ['a', 'b', 'c', 'd', 'e'].map((name) => (lost.includes(name) ? 'IN DOWN' : 'IN'));
    const { self, servers } = ring(of, ...words);
    return [serverKey(self), servers] as const;
  });
  const found = ringSides(new Map(views));
  return found && found.map((side) => side.map((key) => key.charAt(4)).join(''));
}

describe('the sides of a ring, the one that stays first', () => {
  it.each<[string, string[], string[]]>([
    ['a ring that is whole', ['a:', 'b:', 'c:'], ['abc']],
    ['one whose missing server does not answer', ['a: c', 'b: c'], ['ab']],
    ['one that was cut off', ['a: c', 'b: c', 'c: a'], ['ab', 'c']],
    ['the first that was cut off', ['a: b', 'b: a', 'c: a'], ['bc', 'a']],
    ['one that does not know that it is taken for down', ['a: b', 'b:', 'c: b'], ['ac', 'b']],
    ['two servers', ['a: b', 'b: a'], ['a', 'b']],
    ['two that lost one of two', ['a:', 'b: a'], ['a', 'b']],
    ['two of four', ['a: c', 'b: c', 'c: a', 'd: a'], ['ab', 'cd']],
    ['the first two of five', ['a: c', 'b: c', 'c: a', 'd: a', 'e: a'], ['cde', 'ab']],
    ['every one for itself', ['a: b', 'b: c', 'c: a'], ['a', 'b', 'c']],
    [
      'two that were cut off one by one',
      ['a: c', 'b: c', 'c: d', 'd: e', 'e: c'],
      ['abe', 'c', 'd'],
    ],
    ['one of the rest does not answer', ['a: d', 'c: d', 'd: a'], ['ac', 'd']],
  ])('%s', (_, answers, expected) => {
    expect(sides(...answers)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['merges', 'IN Pending'],
    ['joins', 'IN ADD Doing'],
    ['waits outside', 'OUT'],
    ['has no k2hdkc', 'IN Suspend'],
  ])('are not known while one that answers %s', (_, words) => {
    const views = [ring('a', 'IN', 'IN DOWN'), ring('b', 'IN DOWN', words)];
    expect(ringSides(new Map(views.map((one) => [serverKey(one.self), one.servers])))).toBeNull();
  });
});
