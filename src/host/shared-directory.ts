import { chmod, lchown, lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../base/errors.ts';
import type { SystemUser } from './system-user.ts';

/** Makes a directory, with those above it, that everybody can enter; our umask does not. */
export async function makeSharedDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
    await chmod(made, 0o755);
  }
}

/** Gives a file or directory to `user` if it is somebody else's; one that is not there stays so. */
export async function giveTo(user: SystemUser, file: string): Promise<void> {
  try {
    const { uid } = await lstat(file);
    if (uid !== user.uid) await lchown(file, user.uid, user.gid);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
