import { expect, it } from 'vitest';
import { MergePatience } from '../../../src/ring/change/merge-patience.ts';
import { ring } from '../rings.ts';

const TIMES = { tailMs: 3_000, mergeMs: 60_000, tries: 2 };
const ALL = ring('a', 'IN Doing', 'IN Doing', 'IN ADD Doing');
const ONE = ring('a', 'IN Done', 'IN Doing', 'IN ADD Done');

it('waits while servers become Done one after the other', () => {
  const patience = new MergePatience(TIMES);
  expect(patience.look(ALL, 0)).toBe('wait');
  expect(patience.look(ALL, 50_000)).toBe('wait');
  expect(patience.look(ONE, 50_001)).toBe('wait');
  expect(patience.look(ONE, 99_000)).toBe('wait');
  expect(patience.look(ring('a', 'IN Done', 'IN Done', 'IN ADD Done'), 99_001)).toBe('wait');
  expect(patience.aborted).toBe(0);
});

it('counts what another leader has waited before this one took over', () => {
  expect(new MergePatience(TIMES).look(ALL, 5, 60_000)).toBe('wait');
  expect(new MergePatience(TIMES).look(ALL, 5, 60_001)).toBe('abort');
  expect(new MergePatience(TIMES).look(ONE, 5, 3_000)).toBe('wait');
  expect(new MergePatience(TIMES).look(ONE, 5, 3_001)).toBe('abort');
});

it('gives one that is left over as long as the others took, and at least the tail', () => {
  const patience = new MergePatience(TIMES);
  patience.look(ALL, 0);
  patience.look(ONE, 500);
  expect(patience.look(ONE, 3_400)).toBe('wait');
  expect(patience.look(ONE, 3_600)).toBe('abort');
});

it('gives twice the time after an abort, and then there are no more tries', () => {
  const patience = new MergePatience(TIMES);
  patience.look(ALL, 0);
  patience.look(ONE, 500);
  expect(patience.look(ONE, 3_600)).toBe('abort');
  expect(patience.look(ring('a', 'IN Pending', 'IN Pending', 'IN ADD Pending'), 3_700)).toBe(
    'wait',
  );
  patience.look(ONE, 4_000);
  expect(patience.look(ONE, 9_000)).toBe('wait');
  expect(patience.look(ONE, 10_100)).toBeNull();
  expect(patience.aborted).toBe(2);
});

it('ends a merge in which nobody becomes Done', () => {
  const patience = new MergePatience(TIMES);
  patience.look(ALL, 0);
  expect(patience.look(ALL, 59_000)).toBe('wait');
  expect(patience.look(ALL, 60_001)).toBe('abort');
});

it('counts from the beginning when nobody merged in between', () => {
  const patience = new MergePatience(TIMES);
  patience.look(ALL, 0);
  expect(patience.look(ring('a', 'IN', 'IN', 'IN'), 50_000)).toBe('wait');
  expect(patience.look(ALL, 70_000)).toBe('wait');
  expect(patience.look(ALL, 130_000)).toBe('wait');
  expect(patience.look(ALL, 130_001)).toBe('abort');
});
