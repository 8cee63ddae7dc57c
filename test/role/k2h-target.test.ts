import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/ini/model/keys.ts';
import { k2hTargetOf } from '../../src/role/k2h-target.ts';

const FILE: [string, Scalar][] = [
  ['K2HTYPE', 'file'],
  ['K2HFILE', '/data/k2hdkc.k2h'],
];

describe('the data file of k2hdkc', () => {
  it('has the geometry that [K2HDKC] gives it', () => {
    const given: [string, Scalar][] = [
      ['K2HMASKBIT', 10],
      ['K2HCMASKBIT', 6],
      ['K2HMAXELE', 16],
      ['K2HPAGESIZE', 512],
      ['K2HFULLMAP', false],
    ];
    expect(k2hTargetOf(new Map([...FILE, ...given]))).toEqual({
      file: '/data/k2hdkc.k2h',
      geometry: {
        maskBit: 10,
        collisionMaskBit: 6,
        maxElements: 16,
        pageSize: 512,
        fullMap: false,
      },
    });
  });

  it("has k2hdkc's own defaults for what is not given", () => {
    expect(k2hTargetOf(new Map(FILE))?.geometry).toEqual({
      maskBit: 8,
      collisionMaskBit: 4,
      maxElements: 32,
      pageSize: 128,
      fullMap: true,
    });
  });

  it.each<[string, [string, Scalar][]]>([
    ['data is in memory', [...FILE, ['K2HTYPE', 'mem']]],
    ['data is in a file that goes with k2hdkc', [...FILE, ['K2HTYPE', 'temp']]],
    ['no file is named', [['K2HTYPE', 'file']]],
    ['nothing is said', []],
  ])('is none when %s', (_, settings) => {
    expect(k2hTargetOf(new Map(settings))).toBeNull();
  });
});
