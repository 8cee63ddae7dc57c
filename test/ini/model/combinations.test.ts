import { describe, expect, it } from 'vitest';
import { changedByChmpx, refusedByK2hdkc, type Get } from '../../../src/ini/model/combinations.ts';
import type { Scalar } from '../../../src/ini/model/keys.ts';

/** Knows these keys and no other. */
const of =
  (values: Record<string, Scalar>): Get =>
  (key) =>
    values[key];

describe('what chmpx would change', () => {
  it.each<[string, Record<string, Scalar>, RegExp[]]>([
    ['nothing is known', {}, []],
    ['it merges and does so by itself', { AUTOMERGE: true, DOMERGE: true }, []],
    ['it does not merge at all', { AUTOMERGE: false, DOMERGE: false }, []],
    ['it does not merge, but by itself', { AUTOMERGE: true, DOMERGE: false }, [/AUTOMERGE off/]],
    ['only one of both is known', { AUTOMERGE: true }, []],
    ['as many replicas as nodes', { REPLICA: 4, MAXCHMPX: 4 }, []],
    ['more replicas than nodes', { REPLICA: 5, MAXCHMPX: 4 }, [/^REPLICA = 5 .* MAXCHMPX = 4:/]],
    ['how many nodes is not known', { REPLICA: 5 }, []],
    [
      'both',
      { AUTOMERGE: true, DOMERGE: false, REPLICA: 2, MAXCHMPX: 1 },
      [/AUTOMERGE/, /REPLICA/],
    ],
  ])('when %s', (_, values, texts) => {
    const found = changedByChmpx(of(values));
    expect(found).toHaveLength(texts.length);
    for (const [at, text] of texts.entries()) expect(found[at]).toMatch(text);
  });
});

describe('with what k2hdkc does not start', () => {
  it.each<[string, Record<string, Scalar>, string[]]>([
    ['nothing is known', {}, []],
    ['as few threads as many', { MINTHREAD: 3, MAXTHREAD: 3 }, []],
    ['the fewest are more than the most', { MINTHREAD: 4, MAXTHREAD: 3 }, ['MINTHREAD']],
    ['memory with all of the map', { K2HTYPE: 'mem', K2HFULLMAP: true }, []],
    ['memory without', { K2HTYPE: 'mem', K2HFULLMAP: false }, ['K2HFULLMAP = no']],
    ['a file without', { K2HTYPE: 'file', K2HFULLMAP: false }, []],
    ['a file that is kept', { K2HTYPE: 'file', K2HINIT: false }, []],
    ['memory that is kept', { K2HTYPE: 'mem', K2HINIT: false }, ['K2HTYPE = mem with K2HINIT']],
    ['a temporary one kept', { K2HTYPE: 'temp', K2HINIT: false }, ['K2HTYPE = temp with K2HINIT']],
    ['no type is known', { K2HFULLMAP: false, K2HINIT: false }, []],
  ])('when %s', (_, values, texts) => {
    const found = refusedByK2hdkc(of(values));
    expect(found).toHaveLength(texts.length);
    for (const [at, text] of texts.entries()) expect(found[at]).toContain(text);
  });
});
