import { isUtf8 } from 'node:buffer';
import { expect, it } from 'vitest';
import { readable } from '../../../src/guest/logs/readable.ts';

it('leaves UTF-8 as it is', () => {
  const bytes = Buffer.from('plain, é, 日本, 😀\n');
  expect(readable(bytes)).toBe(bytes);
});

it.each([
  ['Latin-1', [0x61, 0xe9, 0x0a], String.raw`a\xe9` + '\n'],
  ['a character that is cut off', [0xe6, 0x97, 0x0a], String.raw`\xe6\x97` + '\n'],
  ['a longer form than there is', [0xc0, 0xaf], String.raw`\xc0\xaf`],
  ['a surrogate', [0xed, 0xa0, 0x80], String.raw`\xed\xa0\x80`],
  ['beyond the last character', [0xf4, 0x90, 0x80, 0x80], String.raw`\xf4\x90\x80\x80`],
  ['between good ones', [0xc3, 0xa9, 0xff, 0xc3, 0xa9], String.raw`é\xffé`],
])('writes out what is none: %s', (_, bytes, text) => {
  const clean = readable(Buffer.from(bytes));
  expect(clean.toString()).toBe(text);
  expect(isUtf8(clean)).toBe(true);
});

it('makes UTF-8 of every pair of bytes, and loses none of it', () => {
  const all = Buffer.alloc(2 * 65_536);
  for (let pair = 0; pair < 65_536; pair++) all.writeUInt16BE(pair, 2 * pair);
  const clean = readable(all);
  expect(isUtf8(clean)).toBe(true);
  const back = Buffer.from(
    clean
      .toString('latin1')
      .replaceAll(/\\x([89a-f][0-9a-f])/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    'latin1',
  );
  expect(back.equals(all)).toBe(true);
});
