import { mkdir, readdir, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Does `work` with an empty directory beside the data that only this user can enter, and removes it
 * whatever happens. What an agent that was killed has left there is removed first, with its tool: a
 * k2hlinetool that lives on would fill the disk. The name is always the same, because k2hash keeps a
 * file of 32 bytes for every path it has ever seen.
 *
 * @param parent is made when it is missing.
 * @param work gets the directory's real path.
 */
export async function inWorkDirectory<T>(
  parent: string,
  name: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true });
  const directory = path.join(await realpath(parent), name);
  await clear(directory);
  await mkdir(directory, { mode: 0o700 });
  try {
    return await work(directory);
  } finally {
    await clear(directory);
  }
}

/** Removes what an agent that was killed has left of such a directory. */
export async function clearWorkDirectory(parent: string, name: string): Promise<void> {
  await clear(path.join(await realpath(parent).catch(() => parent), name));
}

async function clear(directory: string): Promise<void> {
  await killThoseIn(directory);
  await rm(directory, { recursive: true, force: true });
}

/** Ends the processes that have the directory as their own. */
async function killThoseIn(directory: string): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd === directory || cwd === `${directory} (deleted)`) kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile, or is not ours.
  }
}
