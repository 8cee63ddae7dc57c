import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** How a file is written. */
export interface AtomicWriteOptions {
  /** Permission bits of the new file. Default 0o600: most of what we write holds a secret. */
  mode?: number;
}

/**
 * Replaces a file so that a reader, or a crash at any moment, sees either the old or the new
 * content, whole: sibling, fsync, rename, fsync of the directory. chmpx depends on the rename: a
 * file written in place can be read half-written (docs/contracts/ini.md, 1.2).
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
  } catch (error) {
    await rm(sibling, { force: true });
    throw error;
  }
  await syncDirectory(path.dirname(file));
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

/** Creates a directory that only its owner can enter; an existing one is left as it is. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
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
