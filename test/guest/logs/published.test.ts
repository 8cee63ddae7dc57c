import * as v from 'valibot';
import { expect, it } from 'vitest';
import { nothingPublished, publishedSchema } from '../../../src/guest/logs/published.ts';
import { md5Of, positionAt } from './lines.ts';

const NOTHING = nothingPublished('p-1', 'database_logs');
const SENDING = {
  name: 'g-1/k2hdkc-chmpx/log-2026-11-30T23:59:59.123456',
  source: 5,
  md5: md5Of('body\n'),
  after: positionAt(5),
  headerDigest: md5Of('body\n'),
};

it.each([
  ['nothing', NOTHING],
  ['an object that is on its way', { ...NOTHING, sending: SENDING }],
])('is read back: %s', (_, published) => {
  expect(v.parse(publishedSchema, JSON.parse(JSON.stringify(published)))).toEqual(published);
});

it.each([
  { ...NOTHING, bytes: -1 },
  { ...NOTHING, bytes: 1.5 },
  { ...NOTHING, position: {} },
  { ...NOTHING, container: 'x'.repeat(1025) },
  { ...NOTHING, sending: { ...SENDING, md5: '' } },
  { ...NOTHING, discarding: null },
  {},
])('is refused: %j', (value) => {
  expect(v.is(publishedSchema, value)).toBe(false);
});
