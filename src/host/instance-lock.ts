import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { childEnvironment } from '../base/child-environment.ts';
import { AgentError, messageOf } from '../base/errors.ts';

/** A pipe in its place is not waited for. */
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;
/** `flock` exits with this when the lock is held by somebody else. */
const HELD = 75;
/** `status` looks at the lock for some milliseconds: a start outwaits that (s). */
const PATIENCE_SECONDS = '2';

/**
 * Holds `directory`, which must exist, for this process alone: flock(2) on the directory itself. It is
 * atomic, ends with the process (also by SIGKILL), and needs no file, so that a full disk does not
 * matter. It goes by the inode, so network namespaces and other names of the directory do not matter
 * either; only a user who may read the directory can take it.
 *
 * Node.js has no flock(2). util-linux has a tool for it, which locks a descriptor that it inherits;
 * the lock is then the descriptor's, and stays when the tool has ended.
 *
 * @returns what gives the lock back.
 * @throws AgentError in one line when another process holds it, or when the tool is missing.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const handle = await open(directory, FOLDER);
  const taken = await flock(handle, ['--exclusive', '--timeout', PATIENCE_SECONDS]).catch(
    async (error: unknown) => {
      await handle.close();
      throw error;
    },
  );
  if (taken) return () => handle.close();
  await handle.close();
  throw new AgentError(
    `another k2hdkc-agent already runs with the state directory ${directory}: stop it first, or give this one a paths.state_dir of its own`,
  );
}

/** Whether a process holds `directory`, which must exist. The holder does not notice the question. */
export async function isLocked(directory: string): Promise<boolean> {
  const handle = await open(directory, FOLDER);
  try {
    return !(await flock(handle, ['--shared', '--nonblock']));
  } finally {
    await handle.close();
  }
}

/** Whether the descriptor has the lock now. */
async function flock(handle: FileHandle, how: string[]): Promise<boolean> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const words = [...how, '--conflict-exit-code', String(HELD), '3'];
    const child = spawn('flock', words, {
      stdio: ['ignore', 'ignore', 'ignore', handle.fd],
      env: childEnvironment(),
    });
    child.once('error', reject);
    child.once('exit', resolve);
  }).catch((cause: unknown) => {
    throw new AgentError(
      `the state directory cannot be locked: flock cannot be started (${messageOf(cause)}); install util-linux`,
      { cause },
    );
  });
  if (code !== 0 && code !== HELD) {
    throw new AgentError(
      `the state directory cannot be locked: flock ended with ${code ?? 'a signal'}; does its file system know locks?`,
    );
  }
  return code === 0;
}
