import { expect, it } from 'vitest';
import { MergeWitness } from '../../../src/ring/change/merge-witness.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';

const GATHERED = ring('a', 'IN Pending', 'IN ADD Pending', 'OUT');
const MERGING = ring('a', 'IN Doing', 'IN ADD Doing', 'IN ADD Doing');
const LATER = ring('a', 'IN Done', 'IN ADD Done', 'OUT DOWN');

function witness() {
  const clock = new ManualClock();
  return { clock, witness: new MergeWitness(clock) };
}

it('remembers all who joined while the merge runs, also those who have gone', () => {
  const { witness: seen } = witness();
  seen.look(GATHERED);
  expect([...(seen.joiners ?? [])]).toEqual(['cuk-b:8021']);
  seen.look(MERGING);
  seen.look(LATER);
  expect([...(seen.joiners ?? [])]).toEqual(['cuk-b:8021', 'cuk-c:8021']);
  seen.look(ring('a', 'IN', 'IN', 'OUT'));
  expect([...(seen.joiners ?? [])]).toEqual([]);
});

it('knows nothing of a merge that it did not see begin', async () => {
  const { clock, witness: seen } = witness();
  seen.look(MERGING);
  expect(seen.joiners).toBeNull();
  seen.look(GATHERED);
  await clock.advance(3_000);
  seen.look(MERGING);
  expect(seen.joiners?.size).toBe(2);
  seen.look(GATHERED);
  await clock.advance(3_001);
  seen.look(MERGING);
  expect(seen.joiners).toBeNull();
});

it('knows whether its leader gave MERGE, until that merge is over', () => {
  const { witness: seen } = witness();
  seen.look(GATHERED);
  seen.gave();
  seen.look(GATHERED); // the view lags
  expect(seen.gaveMerge).toBe(true);
  seen.look(MERGING);
  seen.look(LATER);
  expect(seen.gaveMerge).toBe(true);
  seen.look(GATHERED);
  expect(seen.gaveMerge).toBe(false);
});

it('counts the merges that were given up, and not those that ended', () => {
  const { witness: seen } = witness();
  for (const one of [GATHERED, MERGING, GATHERED, MERGING, LATER, GATHERED]) seen.look(one);
  expect(seen.givenUp).toBe(2);
  for (const one of [MERGING, LATER, ring('a', 'IN', 'IN', 'IN')]) seen.look(one);
  expect(seen.givenUp).toBe(2);
});
