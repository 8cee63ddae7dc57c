import { expect, it } from 'vitest';
import { parseEntry } from '../../../src/guest/logs/journal-entry.ts';

const ENTRY = {
  __CURSOR: 's=1;i=2;b=3;m=4;t=5;x=6',
  __REALTIME_TIMESTAMP: '1764547199123456',
  MESSAGE: 'a text',
  SYSLOG_IDENTIFIER: 'chmpx',
  _PID: '123',
};
const parse = (change: Record<string, unknown> = {}) =>
  parseEntry(Buffer.from(JSON.stringify({ ...ENTRY, ...change })));

it('has the time in UTC, the program and its process before the message', () => {
  const entry = parse();
  expect(entry?.prefix).toBe('2025-11-30T23:59:59.123456Z chmpx[123]: ');
  expect(entry?.message.toString()).toBe('a text');
  expect(entry?.cursor).toBe(ENTRY.__CURSOR);
  expect(parse({ _PID: undefined })?.prefix).toMatch(/Z chmpx: $/);
});

it('keeps bytes that are no text, and takes the first of several messages', () => {
  expect(parse({ MESSAGE: [97, 233, 98] })?.message).toEqual(Buffer.from([97, 233, 98]));
  expect(parse({ MESSAGE: ['first', 'second'] })?.message.toString()).toBe('first');
  expect(parse({ MESSAGE: null })?.message).toHaveLength(0);
});

it('says which stream goes on with a line that the journal has cut', () => {
  expect(parse({ _STREAM_ID: 'abc', _LINE_BREAK: 'line-max' })?.goesOn).toBe('abc');
  expect(parse({ _STREAM_ID: 'abc', _LINE_BREAK: 'eof' })?.goesOn).toBeNull();
});

it.each(['', 'no JSON', '[]', '{"__CURSOR":"s"}', '{"__CURSOR":1,"__REALTIME_TIMESTAMP":"1"}'])(
  'is none: %s',
  (line) => {
    expect(parseEntry(Buffer.from(line))).toBeNull();
  },
);
