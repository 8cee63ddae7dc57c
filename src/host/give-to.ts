import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, codeOf } from '../base/errors.ts';
import type { HeldFolder } from './held-folder.ts';
import type { SystemUser } from './system-user.ts';

/** What may be given away. */
export interface Gift {
  folder: HeldFolder;
  /** A file in it; one that is not there stays so. */
  file: string;
  /** Whether the folder is the agent's to give. */
  mayGiveFolder: boolean;
}

/** The write bit of the group and of others. */
const [GROUP_WRITES, OTHERS_WRITE] = [0o020, 0o002];

/**
 * Has a user own a folder and a file in it. Of files only those of this process's own user are given, in
 * folders of that user: root would give away whatever a link, or a second name, leads to.
 *
 * @param named what people call that file.
 * @throws AgentError with the command that a person must run.
 */
export async function giveTo(user: SystemUser, gift: Gift, named: string): Promise<void> {
  const { folder, file, mayGiveFolder } = gift;
  const { uid, gid, mode } = await folder.handle.stat();
  const isTheirs = uid === user.uid;
  if (!isTheirs && mayGiveFolder) {
    await folder.handle.chown(user.uid, user.gid);
  } else if (!isTheirs) {
    const mayWrite =
      (mode & OTHERS_WRITE) !== 0 || (gid === user.gid && (mode & GROUP_WRITES) !== 0);
    if (!mayWrite) throw notOurs(path.dirname(named), uid, user);
  }
  await giveFile(user, folder.at(file), { named, mayGive: isTheirs || mayGiveFolder });
}

async function giveFile(
  user: SystemUser,
  file: string,
  { named, mayGive }: { named: string; mayGive: boolean },
): Promise<void> {
  const found = await lstat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (found === null || (found.uid === user.uid && !found.isSymbolicLink())) return;
  if (!found.isFile()) throw notPlain(named);
  // It can be another one by now: what is opened is looked at once more.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags);
  try {
    const opened = await handle.stat();
    if (!opened.isFile() || opened.nlink !== 1) throw notPlain(named);
    if (!mayGive || opened.uid !== process.getuid?.()) throw notOurs(named, opened.uid, user);
    await handle.chown(user.uid, user.gid);
  } finally {
    await handle.close();
  }
}

function notPlain(named: string): AgentError {
  return new AgentError(
    `${named} is no file of its own but a link, a device or a second name of another file: the agent does not give it to anybody; move it away, or put the file itself there`,
    { retryable: true },
  );
}

function notOurs(named: string, uid: number, user: SystemUser): AgentError {
  return new AgentError(
    `${named} belongs to user ${uid}, and the agent has not made it: run chown ${user.name}: ${named}, or give K2HFILE another folder`,
    { retryable: true },
  );
}
