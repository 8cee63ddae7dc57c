import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { walkArchiveFile } from '../../../src/backup/archive.ts';
import {
  ARCHIVE_MEMBER,
  MANIFEST_MEMBER,
  MEMBER_DIRECTORY,
  writeManifest,
} from '../../../src/backup/layout.ts';
import { TarImage } from '../../../src/backup/make/tar-image.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { archiveOf } from '../objects.ts';

const MADE_AT = 1_700_000_000_000;

async function imageOf(archive: Buffer) {
  const file = path.join(await temporaryDirectory(), 'a.k2har');
  await writeFile(file, archive);
  const facts = await walkArchiveFile(file);
  const image = await TarImage.open(file, facts, MADE_AT);
  onTestFinished(() => image.close());
  const whole = Buffer.alloc(image.bytes, 'x');
  await image.read(whole, 0);
  return { image, whole, file, facts };
}

describe('the tar of a backup', () => {
  it.each([0, 1, 40])('holds the manifest and an archive of %i keys', async (keys) => {
    const archive = archiveOf(keys);
    const { whole, facts } = await imageOf(archive);
    const tar = extract();
    tar.end(whole);
    const members: [string, number, string][] = [];
    for await (const member of tar) {
      const { name, mtime } = member.header;
      members.push([name, mtime.getTime(), await text(member)]);
    }
    expect(members).toEqual([
      [MEMBER_DIRECTORY, MADE_AT, ''],
      [MANIFEST_MEMBER, MADE_AT, writeManifest(facts)],
      [ARCHIVE_MEMBER, MADE_AT, archive.toString()],
    ]);
  });

  it('is whole blocks, and ends with two empty ones', async () => {
    const { whole } = await imageOf(archiveOf(3));
    expect(whole.length % 512).toBe(0);
    expect(whole.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
  });

  it('gives the same bytes of any part, whatever the target held', async () => {
    const { image, whole } = await imageOf(archiveOf(40));
    const part = fc
      .tuple(fc.nat(image.bytes), fc.nat(image.bytes))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    await fc.assert(
      fc.asyncProperty(part, async ({ from, to }) => {
        const target = Buffer.alloc(to - from, 'x');
        await image.read(target, from);
        expect(target.equals(whole.subarray(from, to))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

it('an archive that has become shorter is noticed rather than filled with zeros', async () => {
  const { image, file } = await imageOf(archiveOf(3));
  await truncate(file, 100);
  await expect(image.read(Buffer.alloc(image.bytes), 0)).rejects.toThrow(
    'the snapshot has become shorter',
  );
});
