import { expect, it } from 'vitest';
import { Secrets } from '../../src/base/secrets.ts';

function scrubbed(values: (string | null | undefined)[], text: string): string {
  const secrets = new Secrets();
  secrets.add('job', ...values);
  return secrets.scrub(text);
}

it('cuts every occurrence of every value out', () => {
  expect(scrubbed(['token-1', 'token-2'], 'token-1 and token-2, token-1')).toBe(
    '[secret] and [secret], [secret]',
  );
});

it('finds a value in a URL and in JSON too', () => {
  const value = 'pass/"word"\\é';
  expect(scrubbed([value], `http://x/?p=${encodeURIComponent(value)}`)).toBe(
    'http://x/?p=[secret]',
  );
  expect(scrubbed([value], JSON.stringify({ value }))).toBe('{"value":"[secret]"}');
});

it('leaves no tail of a value that begins with another one', () => {
  expect(scrubbed(['secret-1', 'secret-1-and-more'], 'x=secret-1-and-more')).toBe('x=[secret]');
  expect(scrubbed(['secret-1-and-more', 'secret-1'], 'x=secret-1-and-more')).toBe('x=[secret]');
});

it('takes a value as it is, not as a pattern', () => {
  expect(scrubbed(['a.b$&c'], 'a.b$&c aXb$&c')).toBe('[secret] aXb$&c');
});

it('ignores what is absent or too short to be told from other text', () => {
  expect(scrubbed([null, undefined, '', 'guest'], 'the guest agent')).toBe('the guest agent');
});

it('takes a value that is no well-formed text', () => {
  expect(scrubbed(['secret-\ud800'], 'x=secret-\ud800')).toBe('x=[secret]');
});

it('cuts a value out of bytes that are no text, and leaves all others', () => {
  const secrets = new Secrets();
  secrets.add('job', 'geheim-ä');
  const bytes = Buffer.concat([
    Buffer.from([0xff, 0x00]),
    Buffer.from('geheim-ä'),
    Buffer.from([0xe4]),
  ]);
  expect(secrets.scrubBytes(bytes)).toEqual(Buffer.from('\xff\0[secret]\xe4', 'latin1'));
  const innocent = Buffer.from([0xff, 0xe4]);
  expect(secrets.scrubBytes(innocent)).toBe(innocent);
});
