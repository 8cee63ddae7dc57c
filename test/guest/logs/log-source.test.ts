import * as v from 'valibot';
import { expect, it } from 'vitest';
import { leftOut, positionSchema } from '../../../src/guest/logs/log-source.ts';
import { positionAt } from './lines.ts';

const isPosition = (value: unknown): boolean => v.is(positionSchema, value);

it('a position is a cursor, or a place in a file', () => {
  expect(isPosition({ kind: 'journal', cursor: 's=0a;i=1;b=ff;m=2;t=3;x=4' })).toBe(true);
  expect(isPosition(positionAt(5))).toBe(true);
});

it.each([
  { kind: 'journal', cursor: '' },
  { kind: 'journal', cursor: '--file=/etc/shadow and more' },
  { kind: 'journal', cursor: 'x'.repeat(513) },
  { ...positionAt(5), offset: -1 },
  { ...positionAt(5), start: 1.5 },
  { ...positionAt(5), head: { bytes: 1, md5: 'none' } },
  { kind: 'file' },
  null,
])('%j is none', (value) => {
  expect(isPosition(value)).toBe(false);
});

it('a line that is too long is named by its length', () => {
  expect(leftOut(300_000).toString()).toBe(
    '[k2hdkc-guest-agent: a line of 300000 bytes is left out]\n',
  );
});
