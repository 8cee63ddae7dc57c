import { open, statfs, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../base/errors.ts';
import { ArchiveWalker, type ArchiveFacts } from './archive.ts';
import { BufferBin } from './buffer-bin.ts';
import { readMembers } from './restore-members.ts';

/** Left free on the data volume whatever happens (bytes). */
const RESERVE_BYTES = 64 * 1024 ** 2;

/** Throws AgentError `space` unless the file system of `directory` has so many bytes to spare. */
export async function requireSpace(directory: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytes + RESERVE_BYTES) return;
  throw new AgentError(
    'space',
    `${what} needs ${mebibytes(bytes + RESERVE_BYTES)} MiB on the data volume, ${mebibytes(free)} MiB are free: use a larger volume`,
  );
}

/**
 * Writes the archive of a backup's tar into the directory and walks it on the way: k2hlinetool loads
 * a torn one up to the cut, without a word. The memory of the tar's pieces is freed.
 *
 * @throws AgentError `archive`, `manifest`, `space`, `tar`; what the source throws.
 */
export async function takeArchive(
  tar: AsyncIterable<Buffer>,
  directory: string,
): Promise<{ file: string; facts: ArchiveFacts }> {
  const file = path.join(directory, 'backup.k2har');
  const walker = new ArchiveWalker();
  const bin = new BufferBin();
  let handle: FileHandle | undefined;
  try {
    const manifest = await readMembers(tar, {
      async open(bytes) {
        await requireSpace(directory, bytes, `the archive of ${mebibytes(bytes)} MiB`);
        handle = await open(file, 'wx', 0o600);
      },
      async write(piece) {
        const writing = handle?.writeFile(piece); // while it is walked
        writing?.catch(() => undefined);
        walker.write(piece);
        await writing;
        bin.freeLast(piece);
      },
    });
    const facts = walker.end();
    compare(facts, manifest);
    return { file, facts };
  } finally {
    await handle?.close();
  }
}

function compare(facts: ArchiveFacts, manifest: ArchiveFacts | null): void {
  if (manifest === null) {
    // Upstream backs up nothing, with success, when its snapshot fails (backup contract, section 9).
    if (facts.records > 0) return;
    throw new AgentError('archive', 'the archive is empty, and no manifest says that it should be');
  }
  for (const fact of ['bytes', 'records', 'keys', 'sha256'] as const) {
    if (facts[fact] === manifest[fact]) continue;
    throw new AgentError(
      'manifest',
      `the archive is not the one of the manifest: ${fact} is ${facts[fact]}, not ${manifest[fact]}`,
    );
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 ** 2);
}
