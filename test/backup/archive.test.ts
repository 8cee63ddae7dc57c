import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ArchiveWalker, walkArchive, walkArchiveFile } from '../../src/backup/archive.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { record } from './records.ts';

const sample = (name: string): string => path.join(projectRoot, 'test/fixtures/chmpx', name);

function walk(...pieces: Uint8Array[]) {
  const walker = new ArchiveWalker();
  for (const piece of pieces) walker.write(piece);
  return walker.end();
}

describe('an archive of the real k2hlinetool', () => {
  it.each([
    ['s.k2har', 2],
    ['s2.k2har', 4],
  ])('%s has %i records', async (name, records) => {
    const bytes = readFileSync(sample(name));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const facts = { records, keys: records, bytes: bytes.length, sha256 };
    expect(await walkArchiveFile(sample(name))).toEqual(facts);
    expect(walk(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(facts);
  });

  it('cut anywhere is noticed, unless it is cut between records', () => {
    const bytes = readFileSync(sample('s2.k2har'));
    const whole: number[] = [];
    for (let length = 0; length <= bytes.length; length++) {
      try {
        walk(bytes.subarray(0, length));
        whole.push(length);
      } catch (error) {
        expect((error as Error).message).toMatch(
          /is damaged: record \d at byte \d+: it is cut off/,
        );
      }
    }
    expect(whole).toEqual([0, 137, 247, 363, bytes.length]);
  });
});

it('a value above 10 MiB is a key and the records that fill it', () => {
  const parts = [record('big', ''), record('big', 'x', { overwrites: true }), record('k', 'v')];
  expect(walk(...parts)).toMatchObject({ records: 3, keys: 2 });
});

it('an archive without records is whole', () => {
  expect(walk()).toMatchObject({ records: 0, bytes: 0 });
});

describe('damage', () => {
  const good = record('key', 'value');
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(value, at);
    return bytes;
  };
  it.each([
    ['garbage', Buffer.alloc(200, 'x'), /record 1 at byte 0: no record begins there/],
    ['an unknown type', changed(16, 7), /no record begins there/],
    ['the type of another mark', changed(16, 4), /no record begins there/],
    ['no key', changed(24, 0), /it has no key/],
    ['a part that is elsewhere', changed(72, 9), /its parts do not fit/],
    ['a length that no file has', changed(39, 0x7f), /it has an impossible length/],
    ['a longer value', changed(32, 99), /it is cut off, 93 bytes are missing/],
    ['garbage at the end', Buffer.concat([good, Buffer.alloc(104)]), /record 2 at byte 114: no/],
    [
      'a few bytes at the end',
      Buffer.concat([good, Buffer.alloc(6)]),
      /record 2 at byte 114: .*header/,
    ],
  ])('%s is named', (_, bytes, message) => {
    expect(() => walk(bytes)).toThrow(message);
  });
});

it('a file is named, and a stream that fails fails', async () => {
  const file = path.join(await temporaryDirectory(), 'cut.k2har');
  await writeFile(file, record('k', 'v').subarray(0, 50));
  await expect(walkArchiveFile(file)).rejects.toThrow(`${file} is damaged: record 1 at byte 0`);
  await expect(walkArchiveFile(`${file}.none`)).rejects.toMatchObject({ code: 'ENOENT' });
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(record('k', 'v'));
    throw new Error('gone');
  }
  await expect(walkArchive(broken())).rejects.toThrow('gone');
});
