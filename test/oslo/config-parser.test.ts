import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';

function values(text: string): Record<string, string> {
  const parsed = parseConfig(text, 'x.conf');
  return Object.fromEntries(parsed.map(({ group, option, text }) => [`${group}.${option}`, text]));
}

describe('parseConfig', () => {
  it('takes = and :, whichever comes first', () => {
    expect(values('[DEFAULT]\na = b:c\nd: e=f\ntabbed\t=\tv\n')).toEqual({
      'DEFAULT.a': 'b:c',
      'DEFAULT.d': 'e=f',
      'DEFAULT.tabbed': 'v',
    });
  });

  it('knows comments only as whole lines', () => {
    expect(values('[DEFAULT]\n# a = 1\n; b = 2\nhash = a # not a comment\n')).toEqual({
      'DEFAULT.hash': 'a # not a comment',
    });
  });

  it('joins indented lines to the value before, a comment among them included', () => {
    expect(values('[DEFAULT]\ncont = line one\n  line two\n\t# three\nnext =\n')).toEqual({
      'DEFAULT.cont': 'line one\nline two\n# three',
      'DEFAULT.next': '',
    });
  });

  it('takes one pair of quotes off the first line', () => {
    expect(values(`[DEFAULT]\na = "x y"\nb = 'x'\nc = 'x\nd = "one\n two"\ne = "\n`)).toEqual({
      'DEFAULT.a': 'x y',
      'DEFAULT.b': 'x',
      'DEFAULT.c': "'x",
      'DEFAULT.d': '"one\ntwo"',
      'DEFAULT.e': '',
    });
  });

  it('reopens sections, with names in any case except DEFAULT', () => {
    expect(values('[Grp]\na=1\n[DEFAULT]\nb=2\n[grp]\nc=3\n[default]\nd=4\r\n')).toEqual({
      'grp.a': '1',
      'DEFAULT.b': '2',
      'grp.c': '3',
      'default.d': '4',
    });
  });

  it('remembers where each value was set', () => {
    expect(parseConfig('[g]\n\n# c\na=1\n  2\n', 'dir/x.conf')).toEqual([
      { group: 'g', option: 'a', text: '1\n2', where: 'dir/x.conf:4' },
    ]);
  });

  // Each of them is a ConfigFileParseError of oslo.config.
  it.each([
    ['[DEFAULT]\nsecret\n', 'x.conf:2: neither'],
    ['key = secret\n', 'x.conf:1: an option before the first [section]'],
    ['[DEFAULT\ns=secret\n', 'x.conf:1: a [section] without its "]"'],
    ['[]\n', 'x.conf:1: a section without a name'],
    ['[DEFAULT]\n = secret\n', 'x.conf:2: an indented line that continues nothing'],
    ['[DEFAULT]\na = one\n\n secret\n', 'x.conf:4: an indented line that continues nothing'],
    ['[DEFAULT]\n# a\n secret\n', 'x.conf:3: an indented line that continues nothing'],
    ['[DEFAULT]\n=secret\n', 'x.conf:2: a value without a key'],
  ])('refuses %j with file and line, and does not quote it', (text, message) => {
    const parse = (): unknown => parseConfig(text, 'x.conf');
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('secret');
  });
});
