import path from 'node:path';
import { extract, type Extract, type Header } from 'tar-stream';
import { AgentError, asError, codeOf, messageOf } from '../../base/errors.ts';
import type { ArchiveFacts } from '../archive.ts';
import { ARCHIVE_MEMBER, MANIFEST_MEMBER, MEMBER_DIRECTORY, readManifest } from '../layout.ts';

/** Takes the archive out of the tar. */
export interface ArchiveSink {
  /** Called once, before the first byte; what it throws ends the restore. */
  open(bytes: number): Promise<void>;
  write(piece: Buffer): Promise<void>;
}

/** Ours has about 150 bytes. */
const MOST_MANIFEST_BYTES = 64 * 1024;

/**
 * Reads the tar of a backup. Nothing is written by its names: the archive goes to the sink, our
 * manifest is read, the directory itself is passed over, and any other member (an absolute path
 * elsewhere, `..`, a link) makes the whole backup one that was tampered with.
 *
 * @returns the manifest; null when there is none, as in backups of upstream's driver.
 * @throws AgentError when the tar is refused; what the source or the sink throws.
 */
export async function readMembers(
  source: AsyncIterable<Buffer>,
  sink: ArchiveSink,
): Promise<ArchiveFacts | null> {
  const tar = extract();
  const feeding = feed(source, tar);
  let manifest: ArchiveFacts | null = null;
  let hasArchive = false;
  try {
    for await (const member of tar) {
      const bytes = member as unknown as AsyncIterable<Buffer>;
      switch (kindOf(member.header)) {
        case 'directory':
          break;
        case 'manifest':
          if (manifest !== null) throw refused('it holds two manifests');
          manifest = readManifest(await textOf(bytes));
          break;
        case 'archive':
          if (hasArchive) throw refused('it holds two archives');
          hasArchive = true;
          await sink.open(member.header.size);
          for await (const piece of bytes) await sink.write(piece);
          break;
      }
      member.resume();
    }
  } catch (error) {
    tar.destroy();
    // A member that ends in the middle does not know why.
    throw (await feeding) ?? ofTar(error);
  }
  if (!hasArchive) throw refused(`it holds no ${path.basename(ARCHIVE_MEMBER)}`);
  return manifest;
}

function kindOf({ name, type }: Header): 'directory' | 'manifest' | 'archive' {
  // Without its first slash a name is what tar writes without -P.
  const absolute = `/${name.replace(/^\//, '')}`;
  if (type === 'directory' && `${absolute.replace(/\/$/, '')}/` === MEMBER_DIRECTORY) {
    return 'directory';
  }
  if (type === 'file' && absolute === ARCHIVE_MEMBER) return 'archive';
  if (type === 'file' && absolute === MANIFEST_MEMBER) return 'manifest';
  const shown = JSON.stringify(name.slice(0, 200));
  throw refused(`it holds the ${type} ${shown}, which does not belong there: it was tampered with`);
}

async function textOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > MOST_MANIFEST_BYTES) throw refused('its manifest is too long to be one');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** Resolves with what the source has thrown, if it did; the tar ends then. */
async function feed(source: AsyncIterable<Buffer>, tar: Extract): Promise<Error | null> {
  try {
    for await (const piece of source) {
      if (tar.destroyed) return null;
      if (!tar.write(piece)) await room(tar);
    }
    tar.end(null);
    return null;
  } catch (thrown) {
    const error = asError(thrown);
    tar.destroy(error);
    return error;
  }
}

function room(tar: Extract): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      tar.off('drain', go);
      tar.off('close', go);
      resolve();
    };
    tar.on('drain', go);
    tar.on('close', go);
    if (tar.destroyed) go();
  });
}

/** tar-stream's own errors have neither a code nor a class. */
function ofTar(error: unknown): unknown {
  if (error instanceof AgentError || codeOf(error) !== undefined) return error;
  return refused(messageOf(error));
}

function refused(why: string): AgentError {
  return new AgentError(`its tar is refused: ${why}`);
}
