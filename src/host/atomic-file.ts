import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../base/errors.ts';
import { ofDisk } from './disk-error.ts';

/** How a file is written. */
export interface AtomicWriteOptions {
  /** Permission bits of the new file. Default 0o600: most of what we write holds a secret. */
  mode?: number;
}

/**
 * Replaces a file so that a reader, or a crash at any moment, sees either the old or the new
 * content, whole: sibling, fsync, rename, fsync of the directory. chmpx depends on the rename: a
 * file written in place can be read half-written (docs/contracts/ini.md, 1.2).
 *
 * @throws DiskError with file and file system when the disk is full, read-only or broken.
 */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  { mode = 0o600 }: AtomicWriteOptions = {},
): Promise<void> {
  const sibling = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(sibling, 'wx', mode);
    try {
      await handle.chmod(mode); // the umask must not narrow what the caller asked for
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(sibling, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await rm(sibling, { force: true }).catch(() => undefined);
    throw ofDisk(error, file);
  }
}

/** Makes a rename or unlink in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a directory that only its owner can enter; an existing one is left as it is.
 *
 * @throws DiskError as writeFileAtomic does.
 */
export async function makePrivateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Node.js says ENOENT for a read-only disk when it makes folders above too.
    const found = codeOf(error) === 'ENOENT' ? await failureOf(mkdir(directory, 0o700)) : error;
    if (found !== undefined) throw ofDisk(found, directory);
  }
}

/** Why it fails; undefined when it does not. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** As makePrivateDirectory; what is in its place and is no directory is put aside as `NAME.refused`. */
export async function makePrivateDirectoryAt(directory: string): Promise<void> {
  try {
    await makePrivateDirectory(directory);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTDIR') throw error;
    await rename(directory, `${directory}.refused`);
    await makePrivateDirectory(directory);
  }
}

/**
 * Removes what processes that were killed in the middle of `writeFileAtomic` have left in
 * `directory`: it can hold secrets. What cannot be removed stays. Nobody may be writing there.
 */
export async function removeUnfinishedWrites(directory: string): Promise<void> {
  const names = await readdir(directory);
  const unfinished = names.filter((name) => /\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.allSettled(unfinished.map((name) => rm(path.join(directory, name))));
}
