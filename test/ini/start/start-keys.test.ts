import { describe, expect, it } from 'vitest';
import { sectionsIn, sectionsOf, type Section } from '../../../src/ini/text/sections.ts';
import { differingKeys, startKeys, withStartKeys } from '../../../src/ini/start/start-keys.ts';
import { CUK1, iniOf, set } from '../roles.ts';

const SECTIONS = sectionsOf(iniOf().model);
const STARTED = startKeys(SECTIONS);

describe('what the programs read only when they start', () => {
  it('is named and written as it is remembered on disk', () => {
    expect(STARTED).toMatchObject({
      '[GLOBAL] GROUP': 'mycluster',
      '[GLOBAL] SSL': 'no',
      '[GLOBAL] MAXCHMPX': '256',
      '[GLOBAL] SELFCUK': CUK1,
      '[SVRNODE] NAME': 'node1.novalocal',
      '[SVRNODE] PORT': '8020',
      '[K2HDKC] K2HFILE': '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
      '[K2HDKC] MAXTHREAD': '20',
    });
  });

  it('is not what chmpx takes over, what a data file keeps, or what is never used', () => {
    const keys = Object.keys(STARTED);
    for (const key of ['REPLICA', 'RWTIMEOUT', 'DATE'])
      expect(keys).not.toContain(`[GLOBAL] ${key}`);
    for (const key of ['K2HMASKBIT', 'K2HPAGESIZE', 'K2HINIT']) {
      expect(keys).not.toContain(`[K2HDKC] ${key}`);
    }
    expect(keys.filter((key) => key.startsWith('[SLVNODE]'))).toEqual([]);
  });

  it('is that of this node alone', () => {
    const text = '[GLOBAL]\nSELFCUK=a\n[SVRNODE]\nCUK=b\nPORT=1\n[SVRNODE]\nCUK=a\nPORT=2\n';
    expect(startKeys(sectionsIn(text))).toEqual({
      '[GLOBAL] SELFCUK': 'a',
      '[SVRNODE] CUK': 'a',
      '[SVRNODE] PORT': '2',
    });
  });

  it('is nothing of k2hdkc on a slave, whose own section is another one', () => {
    const text =
      '[GLOBAL]\nMODE=SLAVE\nSELFCUK=a\n[SLVNODE]\nCUK=a\nCTLPORT=2\n[K2HDKC]\nMAXTHREAD=3\n';
    expect(startKeys(sectionsIn(text))).toEqual({
      '[GLOBAL] MODE': 'SLAVE',
      '[GLOBAL] SELFCUK': 'a',
      '[SLVNODE] CUK': 'a',
      '[SLVNODE] CTLPORT': '2',
    });
  });

  it('is nothing in no ini at all', () => {
    expect(startKeys([])).toEqual({});
  });
});

it('differs by key, those of the first set first', () => {
  expect(differingKeys({ a: '1', b: '2', c: '3' }, { d: '4', c: '0', b: '2' })).toEqual([
    'a',
    'c',
    'd',
  ]);
});

describe('sections with the start keys of before', () => {
  const next: Section[] = sectionsOf(
    iniOf((text) => set('MAXCHMPX', '300')(set('REPLICA', '2')(text))).model,
  );

  it('have them in the sections of this node, and the rest as it is now', () => {
    const held = withStartKeys(next, STARTED);
    expect(startKeys(held)).toEqual(STARTED);
    expect(held[0]?.entries.get('MAXCHMPX')).toBe('256');
    expect(held[0]?.entries.get('REPLICA')).toBe('2');
    expect(held.slice(2)).toEqual(SECTIONS.slice(2));
  });

  it('lack what the programs did not have', () => {
    const held = withStartKeys(next, { '[GLOBAL] GROUP': 'mycluster' });
    expect(startKeys(held)).toEqual({ '[GLOBAL] GROUP': 'mycluster' });
  });
});
