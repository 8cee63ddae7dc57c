import { describe, expect, it } from 'vitest';
import { readIniText } from '../../../src/ini/text/ini-text.ts';

/** The value of `KEY = …` in a section, or undefined when the line was dropped. */
function valueOf(written: string, section = 'GLOBAL'): string | undefined {
  return readIniText(`[${section}]\nKEY = ${written}\n`).sections[0]?.entries.get('KEY');
}

describe('readIniText', () => {
  // Each right side is what chmpxconftest 1.0.113 printed for GROUP.
  it.each([
    ['abc', 'abc'],
    ['  a b  ', 'a b'],
    ['a # b', 'a'],
    ['a#b', 'a#b'],
    ['#a', '#a'],
    ['"a # b"', 'a # b'],
    [`'a # b'`, 'a # b'],
    ['"a \\" b"', 'a " b'],
    [`'a \\ b'`, 'a \\ b'],
    ['"a \\n b"', 'a \\n b'],
    [`"a\\'b"`, `a\\'b`],
    ['a\\b', 'ab'],
    ['a\\\\b', 'a\\b'],
    ['x\\"y', 'x"y'],
    ['a "b" c', 'a b c'],
    [`a'b'c`, 'abc'],
    ['"x"#y', 'x#y'],
    ['"x" #y', 'x'],
    ['a = b', 'a = b'],
    ['a;b', 'a;b'],
    ['a\\#b', 'a#b'],
    ['a\\ #b', 'a'],
    ['[z]', '[z]'],
    [`''`, ''],
    ['"  a "', 'a'],
    ['', ''],
    ['"a', undefined],
    [`'a`, undefined],
    ['a\\', undefined],
    ['a \\#b', undefined],
  ])('reads the value %j as chmpx does', (written, value) => {
    expect(valueOf(written)).toBe(value);
  });

  it.each([
    ['"/a b"', '"/a b"'],
    ['a#b', 'a'],
    ['a # b', 'a'],
    ['a\\b', 'a\\b'],
  ])('reads the value %j in [K2HDKC] as k2hdkc does', (written, value) => {
    expect(valueOf(written, 'K2HDKC')).toBe(value);
  });

  it('takes keys of [K2HDKC] in any case, and all others to the letter', () => {
    const { sections } = readIniText('[K2HDKC]\nk2hFile=/x\n[GLOBAL]\ngroup=g\n');
    expect(sections[0]?.entries).toEqual(new Map([['K2HFILE', '/x']]));
    expect(sections[1]?.entries).toEqual(new Map([['group', 'g']]));
  });

  it('keeps repeated sections apart and says where they begin', () => {
    const { sections, faults } = readIniText('# top\r\n[A]\r\nK=1\r\n\r\n[A]\r\nK=2\r\n');
    expect(faults).toEqual([]);
    expect(sections).toEqual([
      { name: 'A', entries: new Map([['K', '1']]), line: 2 },
      { name: 'A', entries: new Map([['K', '2']]), line: 5 },
    ]);
  });

  it('takes the last of two equal keys, and says so', () => {
    const { sections, faults } = readIniText('[A]\nK=1\nK=2\nJ\n');
    expect(sections[0]?.entries).toEqual(
      new Map([
        ['K', '2'],
        ['J', ''],
      ]),
    );
    expect(faults).toEqual([{ line: 3, text: '"K" is given twice in one section' }]);
  });

  it('finds no section behind a byte order mark, as chmpx does', () => {
    const { sections, faults } = readIniText('\ufeff[GLOBAL]\nGROUP=g\n[SVRNODE]\n');
    expect(sections.map(({ name }) => name)).toEqual(['SVRNODE']);
    expect(faults.map(({ line }) => line)).toEqual([1, 2]);
  });

  it('compares section names to the letter', () => {
    const { sections } = readIniText('[ GLOBAL ]\n[global]\n[GLOBAL] # no section\n');
    expect(sections.map(({ name }) => name)).toEqual([' GLOBAL ', 'global']);
  });

  it('gives up on more text or sections than a role can have', () => {
    const large = readIniText('#'.repeat(2_000_000));
    expect(large).toEqual({ sections: [], faults: [expect.objectContaining({ line: 1 })] });
    const many = readIniText('[SVRNODE]\n'.repeat(5000));
    expect(many.sections).toEqual([]);
    expect(many.faults[0]?.text).toMatch(/over 4096 sections/);
  });

  it('a megabyte of blanks costs it little more than one of letters', () => {
    const cost = (letter: string): number => {
      const text = `[A]\nK = a${letter.repeat(500_000)}b${letter.repeat(500_000)}`;
      const before = process.cpuUsage();
      readIniText(text);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // A pattern that looks at each blank again from each blank before it takes a million times as long.
    expect(cost(' ') / Math.max(1, cost('x'))).toBeLessThan(10_000);
  });
});
