import { describe, expect, it } from 'vitest';
import { KEYS, keySpec, type KeyKind } from '../../../src/ini/model/keys.ts';
import { readValue, writeValue } from '../../../src/ini/model/values.ts';

const good: [KeyKind['is'], string, unknown][] = [
  ['port', '1', 1],
  ['port', '32767', 32767],
  ['port', '08021', 8021],
  ['boolean', 'ON', true],
  ['boolean', 'yes', true],
  ['boolean', 'Off', false],
  ['boolean', 'no', false],
  ['name', 'node-1.example:2', 'node-1.example:2'],
  ['choice', 'cuk-1', 'cuk-1'],
  ['choice', 'cuk-1|cuk-2|c:3', 'cuk-1|cuk-2|c:3'],
  ['self', '__SELF_INSTANCE_ID__', '__SELF_INSTANCE_ID__'],
  ['seed', 'node-1.example', 'node-1.example'],
  ['hosts', '2001:db8::1', '2001:db8::1'],
  ['hosts', '203.0.113.3:8020, 203.0.113.4', '203.0.113.3:8020,203.0.113.4'],
  ['text', 'Thu, 28 May 2020 04:56:20  0000', 'Thu, 28 May 2020 04:56:20  0000'],
  ['path', '/var/lib/a b/x.k2h', '/var/lib/a b/x.k2h'],
];

const bad: [KeyKind['is'], string][] = [
  ['port', '0'],
  ['port', '32768'],
  ['port', '99999'],
  ['port', '-1'],
  ['port', '80x'],
  ['port', 'abc'],
  ['port', '8020.0'],
  ['port', '00000008020'],
  ['boolean', 'true'],
  ['name', 'a b'],
  ['name', 'a|b'],
  ['choice', 'a|'],
  ['choice', '|a'],
  ['choice', 'a||b'],
  ['choice', '.*'],
  ['choice', `a|${'x'.repeat(2046)}`],
  ['name', 'nöde'],
  ['name', 'a\u0000'],
  ['name', '__SELF_INSTANCE_ID__'],
  ['name', 'x'.repeat(1025)],
  ['self', '__SELF_INSTANCE_ID__x'],
  ['seed', 'a:b'],
  ['hosts', 'a,b,c,d,e'],
  ['hosts', 'a:40000'],
  ['hosts', 'a,,b'],
  ['hosts', '123'],
  ['hosts', '1.2.3.4.5'],
  ['hosts', 'a:b:1'],
  ['text', '__TROVE_K2HDKC_CLUSTER_NAME__'],
  ['text', 'x'.repeat(256)],
  ['path', '/a;b'],
  ['path', '/a=b'],
  ['path', '[a'],
  ['path', 'a\\b'],
  ['path', 'a"b'],
  ['path', "a'b"],
  ['path', 'a#b'],
  ['path', 'a\tb'],
  ['path', 'ä'],
];

describe('readValue', () => {
  it.each(good)('takes the %s %j', (is, text, value) => {
    expect(readValue({ is } as KeyKind, text)).toEqual({ ok: true, value });
  });

  it.each(bad)('refuses the %s %j', (is, text) => {
    expect(readValue({ is } as KeyKind, text)).toMatchObject({ ok: false });
  });

  it('takes words in any case and numbers within their limits', () => {
    const mode = { is: 'word', words: ['SERVER', 'SLAVE'] } as const;
    expect(readValue(mode, 'server')).toEqual({ ok: true, value: 'SERVER' });
    expect(readValue(mode, 'FOO')).toEqual({ ok: false, fault: 'is not one of SERVER, SLAVE' });
    const bits = { is: 'integer', least: 2, most: 28 } as const;
    expect(readValue(bits, '28')).toEqual({ ok: true, value: 28 });
    expect(readValue(bits, '29')).toEqual({ ok: false, fault: 'is not a number from 2 to 28' });
  });
});

describe('KEYS', () => {
  it('has defaults that are values of their own keys', () => {
    const specs = Object.values(KEYS).flat();
    const defaults = specs.filter(({ standard }) => standard !== undefined);
    expect(defaults.length).toBeGreaterThan(30);
    for (const { kind, standard = '' } of defaults) {
      expect(readValue(kind, writeValue(standard))).toEqual({ ok: true, value: standard });
    }
  });

  it('names no key twice in one section', () => {
    for (const specs of Object.values(KEYS)) {
      expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
    }
  });

  it('compares keys to the letter', () => {
    expect(keySpec('GLOBAL', 'GROUP')).toBeDefined();
    expect(keySpec('GLOBAL', 'group')).toBeUndefined();
    expect(keySpec('SLVNODE', 'PORT')).toBeUndefined();
  });

  it('lets no passphrase into a file that everybody can read', () => {
    expect(keySpec('K2HDKC', 'PASSPHRASES')).toBeUndefined();
  });
});
