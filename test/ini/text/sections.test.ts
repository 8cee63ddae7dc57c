import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderIni } from '../../../src/ini/text/render.ts';
import { sectionsIn, sectionsOf } from '../../../src/ini/text/sections.ts';
import { models } from '../models.ts';
import { roleModel } from '../roles.ts';

describe('the sections of a model', () => {
  it('are in the order in which they are written, as are their keys', () => {
    const sections = sectionsOf(roleModel('twoServers'));
    expect(sections.map(({ name, entries }) => [name, [...entries].slice(0, 2)])).toEqual([
      [
        'GLOBAL',
        [
          ['FILEVERSION', '1'],
          ['DATE', 'Thu, 28 May 2020 04:56:20  0000'],
        ],
      ],
      [
        'SVRNODE',
        [
          ['NAME', 'node1.novalocal'],
          ['CUK', '00000001-aaaa-4bbb-8ccc-000000000001'],
        ],
      ],
      [
        'SVRNODE',
        [
          ['NAME', 'node2.novalocal'],
          ['CUK', '00000002-aaaa-4bbb-8ccc-000000000002'],
        ],
      ],
      [
        'SLVNODE',
        [
          ['NAME', '127.0.0.1'],
          ['CUK', 'dummy_cuk'],
        ],
      ],
      [
        'K2HDKC',
        [
          ['K2HTYPE', 'file'],
          ['K2HFILE', '/var/lib/antpickax/k2hdkc/k2hdkc.k2h'],
        ],
      ],
    ]);
  });

  it('are those of its text', () => {
    fc.assert(
      fc.property(models, (model) => {
        expect(sectionsIn(renderIni(model, { origin: 'a test' }))).toEqual(sectionsOf(model));
      }),
      { numRuns: 60 },
    );
  });
});

describe("the sections of somebody else's ini", () => {
  const entries = (...lines: string[]): [string, string][] => {
    const [section] = sectionsIn(['[GLOBAL]', ...lines].join('\n'));
    return [...(section?.entries ?? [])];
  };

  it('have values as this agent writes them', () => {
    expect(entries('SSL = ON', 'MODE=server', 'MAXCHMPX = "0256"')).toEqual([
      ['SSL', 'yes'],
      ['MODE', 'SERVER'],
      ['MAXCHMPX', '256'],
    ]);
  });

  it('have what is no value, and keys that nobody knows, as they stand', () => {
    expect(entries('MAXCHMPX = 8x', 'SPEED = Fast')).toEqual([
      ['MAXCHMPX', '8x'],
      ['SPEED', 'Fast'],
    ]);
  });

  it('lack what is as good as not given, but not what must be there', () => {
    expect(entries('CAPATH =', 'GROUP =')).toEqual([['GROUP', '']]);
  });

  it('are kept when nobody knows them, and are none in no ini at all', () => {
    expect(sectionsIn('[MINE]\nSSL = ON\n')).toEqual([
      { name: 'MINE', entries: new Map([['SSL', 'ON']]) },
    ]);
    expect(sectionsIn('')).toEqual([]);
    expect(sectionsIn('<html>')).toEqual([]);
  });
});
