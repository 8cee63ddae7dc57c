import { describe, expect, it } from 'vitest';
import {
  AgentError,
  asError,
  codeOf,
  ConfigurationError,
  messageOf,
} from '../../src/base/errors.ts';

describe('AgentError', () => {
  it('says its cause and whether trying again can help', () => {
    const cause = new Error('refused');
    const error = new AgentError('it did not start', { cause, retryable: true });
    expect(error).toMatchObject({ retryable: true, cause });
    expect(new AgentError('y').retryable).toBe(false);
    expect('cause' in new AgentError('y')).toBe(false);
  });

  it('has the name of its class', () => {
    const error = new ConfigurationError('no guest_id');
    expect(error.name).toBe('ConfigurationError');
    expect(error).toBeInstanceOf(AgentError);
  });
});

describe('messageOf', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  it.each<[string, unknown, string]>([
    ['an error', new Error('it failed'), 'it failed'],
    ['an error of several lines', new Error('one\n   two\r\nthree\rfour '), 'one two three four'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['a text', 'it failed', 'it failed'],
    ['an object', { reason: 'it failed' }, '{"reason":"it failed"}'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['what JSON cannot say', 10n, '10n'],
    ['an object that holds itself', circular, '<ref *1> { self: [Circular *1] }'],
    [
      'several errors in one, as of a connection to a name with two addresses',
      new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]),
      'refused by ::1; refused by 127.0.0.1',
    ],
    [
      'several errors with a message',
      new AggregateError([new Error('a')], 'all of it'),
      'all of it',
    ],
  ])('is one line of %s', (_, thrown, text) => {
    expect(messageOf(thrown)).toBe(text);
  });
});

describe('asError', () => {
  it('gives an error back as it is and wraps anything else', () => {
    const error = new Error('x');
    expect(asError(error)).toBe(error);
    expect(asError('x')).toEqual(new Error('x'));
  });
});

describe('codeOf', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a system error', Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT'],
    ['an error without one', new Error('x'), undefined],
    ['a code that is no text', { code: 7 }, undefined],
    ['null', null, undefined],
    ['a text', 'ENOENT', undefined],
  ])('of %s', (_, thrown, code) => {
    expect(codeOf(thrown)).toBe(code);
  });
});
