import { stat, statfs } from 'node:fs/promises';
import path from 'node:path';

/** A file that is going to be that large. */
export interface PlannedFile {
  file: string;
  bytes: number;
}

/** A file system that is too small for what is planned on it. */
export interface Shortage {
  /** A directory that is there, on that file system. */
  directory: string;
  /** What is planned beyond what the files have already, and what is free for anybody. */
  needed: number;
  free: number;
}

/** The file systems that lack space for these files, of which some may be there already. */
export async function spaceShortages(files: readonly PlannedFile[]): Promise<Shortage[]> {
  const byDevice = new Map<number, Shortage>();
  for (const { file, bytes } of files) {
    const directory = await existingDirectory(path.dirname(file));
    const { dev } = await stat(directory);
    const { bavail, bsize } = await statfs(directory);
    const shortage = byDevice.get(dev) ?? { directory, needed: 0, free: bavail * bsize };
    shortage.needed += Math.max(0, bytes - (await bytesOnDisk(file)));
    byDevice.set(dev, shortage);
  }
  return [...byDevice.values()].filter(({ needed, free }) => needed > free);
}

async function existingDirectory(directory: string): Promise<string> {
  const isThere = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isThere || directory === '/' ? directory : existingDirectory(path.dirname(directory));
}

/** A file that exists already has its size; a sparse one counts as whole. */
async function bytesOnDisk(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
