import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';

/** Options of DEFAULT. */
function config(text: string, env: NodeJS.ProcessEnv = {}): OsloConfig {
  return new OsloConfig(parseConfig(`[DEFAULT]\n${text}\n`, 'x.conf'), env);
}

describe('OsloConfig', () => {
  it('means an option of its own group by a reference, also where only [DEFAULT] sets one', () => {
    const text = '[DEFAULT]\nssl = x\nmine = y\n[oslo_messaging_rabbit]\na = $ssl\nb = $mine\n';
    const both = new OsloConfig(parseConfig(text, 'x.conf'));
    expect(both.string('oslo_messaging_rabbit', 'b')).toBe('y');
    expect(() => both.string('oslo_messaging_rabbit', 'a')).toThrow('is not set');
  });

  it('gives the fallback for what is not set, and text for what is set to nothing', () => {
    expect(config('').string('DEFAULT', 'a')).toBeUndefined();
    expect(config('').string('DEFAULT', 'a', 'b')).toBe('b');
    expect(config('a =').string('DEFAULT', 'a', 'b')).toBe('');
  });

  it('lets the last value count', () => {
    expect(config('a = 1\na = 2').string('DEFAULT', 'a')).toBe('2');
  });

  it('lets the environment beat the files, and an override both', () => {
    const env = { OS_DEFAULT__A: 'env', OS_GRP__B: 'env $a' };
    const both = config('a = file', env);
    expect(both.string('DEFAULT', 'a')).toBe('env');
    expect(both.string('grp', 'b')).toBe('env env');
    expect(both.override('grp', { b: 'url' }, 'url').string('grp', 'b')).toBe('url');
    expect(both.override('DEFAULT', { a: 'url' }, 'url').where('DEFAULT', 'a')).toBe('url');
    expect(both.where('DEFAULT', 'a')).toBe('OS_DEFAULT__A');
  });

  it.each([
    ['TRUE', true],
    ['1', true],
    ['Yes', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['Off', false],
  ])('reads the boolean %s', (text, value) => {
    expect(config(`x = ${text}`).boolean('DEFAULT', 'x')).toBe(value);
  });

  it('reads numbers', () => {
    expect(config('x = +42').integer('DEFAULT', 'x')).toBe(42);
    expect(config('').integer('DEFAULT', 'x', 7)).toBe(7);
  });

  it('refuses a value of the wrong type, saying where it was set', () => {
    const wrong = config('b = maybe\ni = 4x');
    expect(() => wrong.boolean('DEFAULT', 'b')).toThrow(
      'x.conf:2: b in [DEFAULT] is "maybe", which is not true or false',
    );
    expect(() => wrong.integer('DEFAULT', 'i')).toThrow('x.conf:3: i in [DEFAULT] is "4x"');
    expect(() => config('i = 4x', { OS_DEFAULT__I: 'y' }).integer('DEFAULT', 'i')).toThrow(
      'OS_DEFAULT__I: i in [DEFAULT]',
    );
  });
});

describe('references', () => {
  const text =
    'top = T\nboth = D\nx = X\n[Grp]\nboth = G\nown = $both\nother = ${top}y\nx = $grp.both-x';
  const referring = config(text);

  it('are looked for in their own group first, then in DEFAULT', () => {
    expect(referring.string('grp', 'own')).toBe('G');
    expect(referring.string('grp', 'other')).toBe('Ty');
    expect(referring.string('grp', 'x')).toBe('G-x');
  });

  it('leave other dollar signs alone', () => {
    // As oslo.config 9.0.0 answers.
    const money = config(
      String.raw`top = T${'\n'}x = a$5 b$ c$$ \$top ${'${top}'}y ${'${top'} 100%`,
    );
    expect(money.string('DEFAULT', 'x')).toBe('a$5 b$ c$ $top Ty ${top 100%');
  });

  it('to nothing are an error when the option is read, and only then', () => {
    const undef = config('a = 1\nx = pa$word');
    expect(undef.string('DEFAULT', 'a')).toBe('1');
    expect(() => undef.string('DEFAULT', 'x')).toThrow(
      'x.conf:3: a "$" refers to an option that is not set',
    );
  });

  it('in a circle are an error', () => {
    expect(() => config('x = $y\ny = $x').string('DEFAULT', 'x')).toThrow(ConfigurationError);
  });
});
