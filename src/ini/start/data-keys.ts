import type { Section } from '../text/sections.ts';

/** Keys of `[K2HDKC]` that count when a data file is made; an existing one keeps its size. */
export const GEOMETRY_KEYS: readonly string[] = [
  'K2HMASKBIT',
  'K2HCMASKBIT',
  'K2HMAXELE',
  'K2HPAGESIZE',
];
/** Keys of `[K2HDKC]` that say where the data is. */
export const PLACE_KEYS: readonly string[] = ['K2HTYPE', 'K2HFILE'];

/** The keys of the data file's geometry that differ between two ini. */
export function geometryChanges(before: readonly Section[], after: readonly Section[]): string[] {
  return changes(before, after, GEOMETRY_KEYS);
}

/** The keys that say where the data is, and differ between two ini. */
export function placeChanges(before: readonly Section[], after: readonly Section[]): string[] {
  return changes(before, after, PLACE_KEYS);
}

/** None when one of the two has no `[K2HDKC]`, as a file that is not there. */
function changes(
  before: readonly Section[],
  after: readonly Section[],
  keys: readonly string[],
): string[] {
  const [a, b] = [before, after].map(
    (sections) => sections.find(({ name }) => name === 'K2HDKC')?.entries,
  );
  return a && b ? keys.filter((key) => a.get(key) !== b.get(key)) : [];
}
