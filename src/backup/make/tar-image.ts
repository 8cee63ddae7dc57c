import { open, type FileHandle } from 'node:fs/promises';
import { pack } from 'tar-stream';
import { AgentError } from '../../base/errors.ts';
import type { ArchiveFacts } from '../archive.ts';
import { ARCHIVE_MEMBER, MANIFEST_MEMBER, MEMBER_DIRECTORY, writeManifest } from '../layout.ts';

const TAR_BLOCK_BYTES = 512;
/** Two empty blocks end a tar. */
const END = 2 * TAR_BLOCK_BYTES;

/**
 * The tar of a backup, as if it were a file: any part of it can be read, any number of times, and is
 * always the same. It is never written anywhere: what stands before the archive is in memory, what
 * follows it is zeros.
 */
export class TarImage {
  readonly bytes: number;
  readonly #head: Buffer;
  readonly #archive: FileHandle;
  readonly #archiveBytes: number;

  private constructor(head: Buffer, archive: FileHandle, archiveBytes: number) {
    this.#head = head;
    this.#archive = archive;
    this.#archiveBytes = archiveBytes;
    this.bytes = head.length + archiveBytes + paddingOf(archiveBytes) + END;
  }

  /**
   * Of an archive that was walked: `facts` go into the manifest. To be closed.
   *
   * @param madeAt of all members, in milliseconds since the epoch
   */
  static async open(file: string, facts: ArchiveFacts, madeAt: number): Promise<TarImage> {
    const head = await headOf(facts, madeAt);
    return new TarImage(head, await open(file, 'r'), facts.bytes);
  }

  /** Fills `target` with the bytes from `offset` on; both must lie in the tar. */
  async read(target: Buffer, offset: number): Promise<void> {
    target.fill(0);
    if (offset < this.#head.length) this.#head.copy(target, 0, offset);
    const from = Math.max(0, offset - this.#head.length);
    const to = Math.min(this.#archiveBytes, offset + target.length - this.#head.length);
    const at = Math.max(0, this.#head.length - offset);
    for (let done = from; done < to;) {
      const { bytesRead } = await this.#archive.read(target, at + done - from, to - done, done);
      if (bytesRead === 0) throw new AgentError('the snapshot has become shorter');
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#archive.close();
  }
}

/** Everything before the bytes of the archive; tar-stream writes it before it waits for these. */
async function headOf(facts: ArchiveFacts, madeAt: number): Promise<Buffer> {
  const manifest = Buffer.from(writeManifest(facts));
  const tar = pack();
  const common = { mtime: new Date(madeAt), mode: 0o644 };
  tar.entry({ ...common, name: MEMBER_DIRECTORY, type: 'directory', mode: 0o755 });
  tar.entry({ ...common, name: MANIFEST_MEMBER }, manifest);
  tar.entry({ ...common, name: ARCHIVE_MEMBER, size: facts.bytes });
  const length = 3 * TAR_BLOCK_BYTES + manifest.length + paddingOf(manifest.length);
  const pieces: Buffer[] = [];
  for await (const piece of tar as AsyncIterable<Buffer>) {
    pieces.push(piece);
    if (pieces.reduce((sum, one) => sum + one.length, 0) >= length) break;
  }
  return Buffer.concat(pieces);
}

function paddingOf(bytes: number): number {
  return (TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}
