import { expect, it } from 'vitest';
import { metafileText, parseMetafile } from '../../../src/guest/logs/metafile.ts';
import { nothingPublished } from '../../../src/guest/logs/published.ts';
import { md5Of, positionAt } from './lines.ts';

const PLACE = { projectId: 'p-1', container: 'database_logs' };
const PUBLISHED = {
  ...nothingPublished(PLACE.projectId, PLACE.container),
  bytes: 12,
  position: positionAt(12),
  headerDigest: md5Of('one\n'),
  lastObject: 'g-1/k2hdkc-chmpx/log-2026-11-30T23:59:59.123456',
};
const TEXT = metafileText({ name: 'chmpx', type: 'USER', source: null }, PUBLISHED);

it('says what an agent needs that knows nothing else', () => {
  expect(parseMetafile(TEXT, PLACE)).toEqual(PUBLISHED);
});

it("has Trove's own fields", () => {
  expect(JSON.parse(TEXT)).toMatchObject({
    log_name: 'chmpx',
    log_type: 'USER',
    log_file: '',
    log_size: 12,
    log_header_digest: md5Of('one\n'),
  });
});

it.each([
  'no JSON',
  '[]',
  JSON.stringify({ log_name: 'guest', log_size: 12, log_header_digest: md5Of('') }),
  TEXT.replace('"log_size":12', '"log_size":-1'),
  TEXT.replace('"kind":"file"', '"kind":"journal"'),
])('is not of this agent: %s', (text) => {
  expect(parseMetafile(text, PLACE)).toBeNull();
});
