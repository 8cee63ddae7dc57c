import { describe, expect, it } from 'vitest';
import {
  ARCHIVE_MEMBER,
  MANIFEST_MEMBER,
  MEMBER_DIRECTORY,
  writeManifest,
} from '../../../src/backup/layout.ts';
import { readMembers, type ArchiveSink } from '../../../src/backup/restore/restore-members.ts';
import { inPieces, tarOf, upstreamMembers, type Member } from '../objects.ts';

const ARCHIVE = Buffer.from('the archive '.repeat(3000));
const FACTS = { records: 2, keys: 2, bytes: ARCHIVE.length, sha256: 'a'.repeat(64) };
const MANIFEST: Member = { name: MANIFEST_MEMBER, body: writeManifest(FACTS) };

class Kept implements ArchiveSink {
  announced: number | null = null;
  bytes = Buffer.alloc(0);

  open(bytes: number): Promise<void> {
    this.announced = bytes;
    return Promise.resolve();
  }

  write(piece: Uint8Array): Promise<void> {
    this.bytes = Buffer.concat([this.bytes, piece]);
    return Promise.resolve();
  }
}

describe('readMembers', () => {
  it.each([7, 512, 100_000])(
    'takes the archive and the manifest, in pieces of %i',
    async (size) => {
      const [directory, archive] = upstreamMembers(ARCHIVE);
      const tar = await tarOf(directory as Member, MANIFEST, archive as Member);
      const kept = new Kept();
      expect(await readMembers(inPieces(tar, size), kept)).toEqual(FACTS);
      expect(kept).toMatchObject({ announced: ARCHIVE.length, bytes: ARCHIVE });
    },
  );

  it('does without a manifest, as upstream', async () => {
    const kept = new Kept();
    const tar = await tarOf(...upstreamMembers(ARCHIVE));
    expect(await readMembers(inPieces(tar, 999), kept)).toBeNull();
    expect(kept.bytes).toEqual(ARCHIVE);
  });

  it('takes names without the first slash for the same', async () => {
    const kept = new Kept();
    const names = [MEMBER_DIRECTORY.slice(1, -1), ARCHIVE_MEMBER.slice(1)];
    const tar = await tarOf(
      { name: names[0] ?? '', type: 'directory' },
      { name: names[1] ?? '', body: ARCHIVE },
    );
    await readMembers(inPieces(tar, 999), kept);
    expect(kept.bytes).toEqual(ARCHIVE);
  });

  const link = (type: 'link' | 'symlink'): Member => ({
    name: ARCHIVE_MEMBER,
    type,
    linkname: '/etc/passwd',
  });
  it.each<[string, Member[], string]>([
    [
      'another absolute path',
      [{ name: '/etc/cron.d/evil', body: 'x' }],
      'the file "/etc/cron.d/evil"',
    ],
    ['a relative path', [{ name: 'evil', body: 'x' }], 'the file "evil"'],
    ['a path with ..', [{ name: `${MEMBER_DIRECTORY}../../evil`, body: 'x' }], '../../evil'],
    ['a longer path', [{ name: `${ARCHIVE_MEMBER}/x`, body: 'x' }], 'trovebackup.k2har/x'],
    ['a hard link', [link('link')], 'the link "/var/lib/'],
    ['a symbolic link', [link('symlink')], 'the symlink "/var/lib/'],
    ['a fifo', [{ name: ARCHIVE_MEMBER, type: 'fifo' }], 'the fifo "/var/lib/'],
    ['a directory in its place', [{ name: ARCHIVE_MEMBER, type: 'directory' }], 'the directory "'],
    ['another directory', [{ name: '/etc/', type: 'directory' }], 'the directory "/etc/"'],
    ['a second archive', upstreamMembers(ARCHIVE), 'it holds two archives'],
    ['a second manifest', [MANIFEST, MANIFEST], 'it holds two manifests'],
    [
      'a manifest without end',
      [{ ...MANIFEST, body: ' '.repeat(70_000) }],
      'its manifest is too long',
    ],
    ['a manifest that is none', [{ ...MANIFEST, body: '{}' }], 'the manifest in the backup cannot'],
  ])('refuses %s', async (_, members, why) => {
    const tar = await tarOf(...upstreamMembers(ARCHIVE), ...members);
    await expect(readMembers(inPieces(tar, 4096), new Kept())).rejects.toThrow(why);
  });

  it('refuses a tar without an archive, which upstream calls a backup', async () => {
    const [directory] = upstreamMembers(ARCHIVE);
    const tar = await tarOf(directory as Member);
    await expect(readMembers(inPieces(tar, 512), new Kept())).rejects.toThrow(
      'its tar is refused: it holds no trovebackup.k2har',
    );
  });

  it.each([600, 20_000])('refuses a tar that is cut off after %i bytes', async (length) => {
    const tar = await tarOf(...upstreamMembers(ARCHIVE));
    await expect(readMembers(inPieces(tar.subarray(0, length), 512), new Kept())).rejects.toThrow(
      'its tar is refused: Unexpected end of data',
    );
  });

  it('refuses what is no tar', async () => {
    await expect(readMembers(inPieces(ARCHIVE, 512), new Kept())).rejects.toThrow(
      'its tar is refused: Invalid tar header',
    );
  });

  it('passes on what the source and the sink throw, and ends the source', async () => {
    const tar = await tarOf(...upstreamMembers(ARCHIVE));
    let isOver = false;
    async function* source(end: Error | null): AsyncGenerator<Buffer> {
      try {
        yield* inPieces(tar.subarray(0, 5000), 100);
        if (end) throw end;
        yield* inPieces(tar.subarray(5000), 100);
      } finally {
        isOver = true;
      }
    }
    const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' });
    await expect(readMembers(source(lost), new Kept())).rejects.toThrow('lost');
    const full = new Kept();
    full.write = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    const lostIsOver = isOver;
    isOver = false;
    await expect(readMembers(source(null), full)).rejects.toThrow('no space');
    expect([lostIsOver, isOver]).toEqual([true, true]);
  });

  it('holds little in memory: who writes slowly is waited for', async () => {
    const tar = await tarOf(...upstreamMembers(Buffer.alloc(8 * 1024 * 1024)));
    let ahead = 0;
    let most = 0;
    async function* source(): AsyncGenerator<Buffer> {
      for await (const piece of inPieces(tar, 64 * 1024)) {
        ahead += piece.length;
        most = Math.max(most, ahead);
        yield piece;
      }
    }
    const slow: ArchiveSink = {
      open: () => Promise.resolve(),
      write: async (piece) => {
        await new Promise(setImmediate);
        ahead -= piece.length;
      },
    };
    await readMembers(source(), slow);
    expect(most).toBeLessThan(512 * 1024);
  });
});
