import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { walkArchive, type ArchiveFacts } from '../../../src/backup/archive.ts';
import { MANIFEST_MEMBER, writeManifest } from '../../../src/backup/layout.ts';
import { requireSpace, takeArchive } from '../../../src/backup/restore/restore-archive.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { archiveOf, inPieces, tarOf, upstreamMembers } from '../objects.ts';

const ARCHIVE = archiveOf(30);
const facts = (): Promise<ArchiveFacts> => walkArchive(inPieces(ARCHIVE, 1000));

/** The tar of a backup of ours with this manifest, or of upstream's without one. */
async function tar(archive: Buffer, manifest?: ArchiveFacts): Promise<AsyncIterable<Buffer>> {
  const [directory, ...rest] = upstreamMembers(archive);
  if (!directory) throw new Error('no directory');
  const ours = manifest ? [{ name: MANIFEST_MEMBER, body: writeManifest(manifest) }] : [];
  return inPieces(await tarOf(directory, ...ours, ...rest), 700);
}

describe('takeArchive', () => {
  it('writes the archive of the manifest into a file of its owner', async () => {
    const directory = await temporaryDirectory();
    const taken = await takeArchive(await tar(ARCHIVE, await facts()), directory);
    expect(taken).toEqual({ file: path.join(directory, 'backup.k2har'), facts: await facts() });
    expect(await readFile(taken.file)).toEqual(ARCHIVE);
    expect((await stat(taken.file)).mode & 0o777).toBe(0o600);
  });

  it('takes the archive of a backup without a manifest, as upstream makes it', async () => {
    const directory = await temporaryDirectory();
    const taken = await takeArchive(await tar(ARCHIVE), directory);
    expect(taken.facts).toEqual(await facts());
    expect(await readFile(taken.file)).toEqual(ARCHIVE);
  });

  it('takes an empty archive only when the manifest says so', async () => {
    const none = await walkArchive(inPieces(Buffer.alloc(0), 1));
    const { facts: taken } = await takeArchive(
      await tar(Buffer.alloc(0), none),
      await temporaryDirectory(),
    );
    expect(taken.records).toBe(0);
    await expect(
      takeArchive(await tar(Buffer.alloc(0)), await temporaryDirectory()),
    ).rejects.toThrow('the archive is empty, and no manifest says that it should be');
  });

  it.each<[keyof ArchiveFacts, number | string]>([
    ['bytes', 1],
    ['records', 31],
    ['keys', 29],
    ['sha256', 'a'.repeat(64)],
  ])('refuses an archive that has other %s than the manifest', async (fact, value) => {
    const manifest = { ...(await facts()), [fact]: value };
    await expect(
      takeArchive(await tar(ARCHIVE, manifest), await temporaryDirectory()),
    ).rejects.toMatchObject({
      name: 'AgentError',
      message: expect.stringMatching(
        new RegExp(`the archive is not the one of the manifest: ${fact} is .*, not ${value}$`),
      ) as string,
    });
  });

  it('refuses an archive that is cut off within a record', async () => {
    const cut = ARCHIVE.subarray(0, -5);
    await expect(takeArchive(await tar(cut), await temporaryDirectory())).rejects.toThrow(
      /it is cut off/,
    );
  });

  it('overwrites no file, and passes on what the source throws', async () => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'backup.k2har'), 'of another restore');
    await expect(takeArchive(await tar(ARCHIVE), directory)).rejects.toMatchObject({
      code: 'EEXIST',
    });
    expect(await readFile(path.join(directory, 'backup.k2har'), 'utf8')).toBe('of another restore');
    async function* broken(): AsyncGenerator<Buffer> {
      yield* inPieces((await tarOf(...upstreamMembers(ARCHIVE))).subarray(0, 2000), 700);
      throw new Error('the connection is gone');
    }
    await expect(takeArchive(broken(), await temporaryDirectory())).rejects.toThrow(
      'the connection is gone',
    );
  });
});

it('what does not fit is refused before anything is written, with the sizes', async () => {
  const directory = await temporaryDirectory();
  await requireSpace(directory, 0, 'nothing');
  await expect(requireSpace(directory, 2 ** 50, 'a backup')).rejects.toThrow(
    /^a backup needs 1073741888 MiB on the data volume, \d+ MiB are free: use a larger volume$/,
  );
  expect(await readdir(directory)).toEqual([]);
});
