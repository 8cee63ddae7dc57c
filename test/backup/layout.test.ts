import { expect, it } from 'vitest';
import { readManifest, writeManifest } from '../../src/backup/layout.ts';

const facts = { records: 3, keys: 2, bytes: 400, sha256: 'ab'.repeat(32) };

it('a manifest is read as it was written', () => {
  expect(readManifest(writeManifest(facts))).toEqual(facts);
});

it.each(['', '[]', '{"version":2}', writeManifest({ ...facts, sha256: 'x' })])(
  'what is no manifest is refused: %j',
  (text) => {
    expect(() => readManifest(text)).toThrow(/^the manifest in the backup cannot be read/);
  },
);
