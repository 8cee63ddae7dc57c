import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { AgentError } from '../../base/errors.ts';
import { ArchiveWalker, type ArchiveFacts } from '../archive.ts';
import { BufferBin } from '../buffer-bin.ts';
import { readMembers } from './restore-members.ts';

/** Left free on the data volume whatever happens (bytes). */
const RESERVE_BYTES = 64 * 1024 ** 2;

/** So much may wait to be written; it goes out in one call. */
const WAITING_BYTES = 1024 * 1024;

/** Throws AgentError unless the file system of `directory` has so many bytes to spare. */
export async function requireSpace(directory: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytes + RESERVE_BYTES) return;
  throw new AgentError(
    `${what} needs ${mebibytes(bytes + RESERVE_BYTES)} MiB on the data volume, ${mebibytes(free)} MiB are free: use a larger volume`,
  );
}

/**
 * Writes the archive of a backup's tar into the directory and walks it on the way: k2hlinetool loads
 * a torn one up to the cut, without a word. The memory of the tar's pieces is freed.
 *
 * @throws AgentError when the archive or its tar is damaged, is not the one of the manifest, or does
 *   not fit; what the source throws.
 */
export async function takeArchive(
  tar: AsyncIterable<Buffer>,
  directory: string,
): Promise<{ file: string; facts: ArchiveFacts }> {
  const file = path.join(directory, 'backup.k2har');
  const walker = new ArchiveWalker();
  const bin = new BufferBin();
  let out: WriteStream | undefined;
  try {
    const manifest = await readMembers(tar, {
      async open(bytes) {
        await requireSpace(directory, bytes, `the archive of ${mebibytes(bytes)} MiB`);
        out = createWriteStream(file, { flags: 'wx', mode: 0o600, highWaterMark: WAITING_BYTES });
        out.on('error', () => undefined); // the next write tells of it, or the end
      },
      async write(piece) {
        walker.write(piece);
        if (!out || out.errored) throw out?.errored ?? new Error('it is not open');
        const hasRoom = out.write(piece, () => bin.freeLast(piece));
        if (!hasRoom) await once(out, 'drain');
      },
    });
    const facts = walker.end();
    compare(facts, manifest);
    if (out) await finished(out.end());
    return { file, facts };
  } finally {
    out?.destroy();
  }
}

function compare(facts: ArchiveFacts, manifest: ArchiveFacts | null): void {
  if (manifest === null) {
    // Upstream backs up nothing, with success, when its snapshot fails
    // (docs/contracts/swift.md, 8).
    if (facts.records > 0) return;
    throw new AgentError('the archive is empty, and no manifest says that it should be');
  }
  for (const fact of ['bytes', 'records', 'keys', 'sha256'] as const) {
    if (facts[fact] === manifest[fact]) continue;
    throw new AgentError(
      `the archive is not the one of the manifest: ${fact} is ${facts[fact]}, not ${manifest[fact]}`,
    );
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 ** 2);
}
