import { chmod, lchown, lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { SystemUser } from './system-user.ts';

/**
 * Makes a directory, with those above it, that everybody can enter; our umask does not.
 *
 * @returns whether it was missing.
 */
export async function makeSharedDirectory(directory: string): Promise<boolean> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return false;
  for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
    await chmod(made, 0o755);
  }
  return true;
}

/** Gives a directory of agent.yaml to `user` if it is somebody else's. */
export async function giveSharedDirectory(user: SystemUser, directory: string): Promise<void> {
  const { uid } = await lstat(directory);
  if (uid !== user.uid) await lchown(directory, user.uid, user.gid);
}
