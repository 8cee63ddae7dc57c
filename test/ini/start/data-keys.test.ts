import { describe, expect, it } from 'vitest';
import { geometryChanges, placeChanges } from '../../../src/ini/start/data-keys.ts';
import { sectionsOf, type Section } from '../../../src/ini/text/sections.ts';
import { iniOf, set, setBelow, type Edit } from '../roles.ts';

const sections = (edit?: Edit): Section[] => sectionsOf(iniOf(edit).model);
const OLD = sections();

describe('a data file', () => {
  it('is another one by its name and its type', () => {
    expect(placeChanges(OLD, sections(set('K2HFILE', '/data/new.k2h')))).toEqual(['K2HFILE']);
    expect(placeChanges(OLD, sections(set('K2HTYPE', 'mem')))).toEqual(['K2HTYPE']);
    expect(placeChanges(OLD, sections(set('MAXTHREAD', '50')))).toEqual([]);
    expect(placeChanges([], OLD)).toEqual([]);
  });

  it('has a size by keys of its own, not by those of chmpx', () => {
    const larger = sections(setBelow('[K2HDKC]', 'K2HPAGESIZE', '1024'));
    expect(geometryChanges(OLD, larger)).toEqual(['K2HPAGESIZE']);
    expect(geometryChanges(OLD, sections(set('K2HMASKBIT', '6')))).toEqual([]);
    expect(geometryChanges(OLD, sections(set('K2HTYPE', 'mem')))).toEqual([]);
    expect(geometryChanges([], OLD)).toEqual([]);
  });
});
