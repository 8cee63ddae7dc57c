import { chown, lstat, mkdir, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, codeOf } from '../base/errors.ts';
import {
  hold,
  holdFolder,
  holdFolderIfThere,
  openFolderIn,
  type HeldFolder,
} from '../host/held-folder.ts';
import type { SystemUser } from '../host/system-user.ts';
import type { Desk } from './desk.ts';

const DESK = 'desk';

/** Where a work directory is. */
export interface WorkPlace {
  /** The folder of the data file; a work directory in it makes it when it is missing. */
  parent: string;
  /** Absolute paths, of which it must be one or be below one. */
  within: readonly string[];
  /**
   * Always the same, because k2hash keeps a file of 32 bytes for every path it has ever seen.
   */
  name: string;
  /** The user that runs the tool; null: the agent's own. */
  user: SystemUser | null;
}

/** What there is to work with. */
export interface Work {
  /** Of the agent alone. The path is good in this process only. */
  directory: string;
  /** Below it, and the tool's. */
  desk: Desk;
  /** The folder of the data file. */
  parent: HeldFolder;
}

/**
 * Does `work` with an empty directory beside the data that only this user can enter, and removes it
 * whatever happens. What an agent that was killed has left there is removed first, with its tool: a
 * k2hlinetool that lives on would fill the disk.
 *
 * The parent can be the programs' own user's, who can give the directory's name to something else. So
 * both are held open, and all is done in those that were opened (docs/security.md).
 *
 * @throws AgentError when something that is not the agent's has the name.
 */
export async function inWorkDirectory<T>(
  place: WorkPlace,
  work: (work: Work) => Promise<T>,
): Promise<T> {
  const parent = await holdFolder(place.parent, place.within);
  try {
    await clear(parent, place);
    await mkdir(parent.at(place.name), { mode: 0o700 });
    const directory = await open(parent, place);
    if (directory === null) throw taken(place);
    try {
      const desk = await makeDesk(directory, place.user);
      return await work({ directory: directory.at(), desk, parent });
    } finally {
      await remove(parent, place.name, directory);
    }
  } finally {
    await parent.close();
  }
}

/** Removes what an agent that was killed has left of such a directory. Makes nothing. */
export async function clearWorkDirectory(place: WorkPlace): Promise<void> {
  const parent = await holdFolderIfThere(place.parent, place.within);
  if (parent === null) return;
  try {
    await clear(parent, place);
  } finally {
    await parent.close();
  }
}

async function makeDesk(directory: HeldFolder, user: SystemUser | null): Promise<Desk> {
  await mkdir(directory.at(DESK), { mode: 0o700 });
  if (user !== null) await chown(directory.at(DESK), user.uid, user.gid);
  return { directory: directory.at(DESK), user };
}

async function clear(parent: HeldFolder, place: WorkPlace): Promise<void> {
  const left = await open(parent, place);
  if (left !== null) await remove(parent, place.name, left);
}

/** The directory of that name, when there is one and it is this user's alone. */
async function open(parent: HeldFolder, place: WorkPlace): Promise<HeldFolder | null> {
  const handle = await openFolderIn(parent, place.name).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw taken(place, error);
  });
  if (handle === null) return null;
  const { uid, mode } = await handle.stat();
  if (uid === process.getuid?.() && (mode & 0o077) === 0) return hold(handle, false);
  await handle.close();
  throw taken(place);
}

async function remove(parent: HeldFolder, name: string, directory: HeldFolder): Promise<void> {
  try {
    await killThoseIn(directory);
    await clearDesk(directory);
    for (const entry of await readdir(directory.at())) {
      await rm(directory.at(entry), { recursive: true, force: true });
    }
    const [named, own] = [await lstat(parent.at(name)), await directory.handle.stat()];
    if (named.dev === own.dev && named.ino === own.ino) await rmdir(parent.at(name));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error; // somebody has renamed it; it is empty
  } finally {
    await directory.close();
  }
}

/**
 * Takes the desk back before anything is removed from it: what its user could still change while a
 * tree is walked could lead out of it.
 */
async function clearDesk(directory: HeldFolder): Promise<void> {
  const handle = await openFolderIn(directory, DESK).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return;
  const desk = hold(handle, false);
  try {
    await handle.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
    await handle.chmod(0o700); // its user may have opened it to others, and still hold it
    await killThoseIn(desk);
    for (const entry of await readdir(desk.at(), { withFileTypes: true })) {
      if (!entry.isDirectory()) await unlink(desk.at(entry.name));
      else await rmdir(desk.at(entry.name)).catch(foreignFolder);
    }
    await rmdir(directory.at(DESK));
  } finally {
    await desk.close();
  }
}

function foreignFolder(cause: unknown): never {
  if (codeOf(cause) !== 'ENOTEMPTY') throw cause;
  throw new AgentError(
    'the work directory beside the data holds a folder that k2hlinetool does not make: remove it, and find out which process of programs.user made it',
    { cause },
  );
}

/** Ends the processes that have the directory as their own. */
async function killThoseIn(directory: HeldFolder): Promise<void> {
  const own = await directory.handle.stat();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const cwd = await stat(`/proc/${pid}/cwd`).catch(() => null);
    if (cwd?.dev === own.dev && cwd.ino === own.ino) kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile, or is not ours.
  }
}

function taken({ parent, name }: WorkPlace, cause?: unknown): AgentError {
  const file = path.join(parent, name);
  return new AgentError(`${file} is not this agent's own: remove it, and find out who made it`, {
    cause,
  });
}
