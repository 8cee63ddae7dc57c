import { constants } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, codeOf } from '../base/errors.ts';
import type { SystemUser } from '../host/system-user.ts';

/**
 * Where a tool works. Its user owns the directory and can change anything in it at any time, so files
 * come and go by the functions below.
 */
export interface Desk {
  /** Can be a path that is good in this process only. */
  directory: string;
  /** The user that runs the tool; null: the agent's own. */
  user: SystemUser | null;
}

/** Neither a link is followed, nor a pipe waited for. */
const PLAIN = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Writes a file that the tool can read, in the place of whatever has that name. */
export async function writeOnto(desk: Desk, name: string, text: string): Promise<void> {
  const file = path.join(desk.directory, name);
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await giveTo(desk, handle);
  } finally {
    await handle.close();
  }
}

/** Gives a file of the agent's to the tool: it moves onto the desk, under its own name. */
export async function putOnto(desk: Desk, file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY | PLAIN);
  try {
    await giveTo(desk, handle);
  } finally {
    await handle.close();
  }
  await rename(file, path.join(desk.directory, path.basename(file)));
}

/**
 * Opens a file that the tool has made; null when there is none.
 *
 * @throws AgentError when it is a link, a device, or a second name of another file.
 */
export async function openOn(desk: Desk, name: string): Promise<FileHandle | null> {
  const file = path.join(desk.directory, name);
  const handle = await open(file, constants.O_RDONLY | PLAIN).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    if (['ELOOP', 'ENXIO'].includes(codeOf(error) ?? '')) throw notPlain(name, error);
    throw error;
  });
  if (handle === null) return null;
  const found = await handle.stat();
  if (found.isFile() && found.nlink === 1) return handle;
  await handle.close();
  throw notPlain(name);
}

/**
 * Takes a file that the tool has made to where only the agent can change names: it is the agent's, and for
 * reading only. False: there is none. A process that has it open can still write to it.
 *
 * @throws AgentError as openOn, also when another file has got its name meanwhile.
 */
export async function takeFrom(desk: Desk, name: string, to: string): Promise<boolean> {
  const handle = await openOn(desk, name);
  if (handle === null) return false;
  try {
    await handle.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
    await handle.chmod(0o400);
    await rename(path.join(desk.directory, name), to);
    const [own, moved] = [await handle.stat(), await lstat(to)];
    if (moved.dev === own.dev && moved.ino === own.ino) return true;
    await rm(to, { recursive: true });
    throw notPlain(name);
  } finally {
    await handle.close();
  }
}

async function giveTo({ user }: Desk, handle: FileHandle): Promise<void> {
  if (user !== null) await handle.chown(user.uid, user.gid);
}

function notPlain(name: string, cause?: unknown): AgentError {
  return new AgentError(
    `${name} of the tool is no plain file: find out which process of programs.user has put it there`,
    { cause },
  );
}
