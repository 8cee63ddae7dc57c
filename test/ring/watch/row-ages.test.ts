import { expect, it } from 'vitest';
import { RowAges } from '../../../src/ring/watch/row-ages.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { server } from '../rings.ts';

const ROLE = new Set(['cuk-a']);

it('calls a row left over that stays outside, or belongs to nobody, and does not change', async () => {
  const clock = new ManualClock();
  const ages = new RowAges(clock);
  const leftOver = (words: string, name = 'a', role: ReadonlySet<string> = ROLE): boolean =>
    ages.isLeftOver(server(name, words), role, 1_000);
  ages.note([server('a', 'OUT Suspend'), server('b', 'IN ADD Pending')]);
  await clock.advance(999);
  ages.note([server('a', 'OUT Suspend'), server('b', 'IN ADD Pending')]);
  expect([leftOver('OUT Suspend'), leftOver('IN ADD Pending', 'b')]).toEqual([false, false]);
  await clock.advance(1);
  expect([leftOver('OUT Suspend'), leftOver('IN ADD Pending', 'b')]).toEqual([true, true]);
  expect(leftOver('IN ADD Pending', 'b', new Set(['cuk-b']))).toBe(false);
  expect(leftOver('IN ADD Pending', 'b', new Set())).toBe(false);
  ages.note([server('a', 'OUT'), server('b', 'IN ADD Pending')]);
  expect([leftOver('OUT'), leftOver('IN ADD Pending', 'b')]).toEqual([false, true]);
  ages.note([]);
  await clock.advance(5_000);
  expect(leftOver('OUT')).toBe(false);
});
