import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Removes the POSIX message queues that killed processes of a group have left. They outlive their
 * processes, and there are at most 256 on a machine. Needs root, as chmpx itself mostly does.
 */
export async function removeQueues(group: string): Promise<void> {
  const mount = await mkdtemp(path.join(tmpdir(), 'mqueue-'));
  await run('mount', ['-t', 'mqueue', 'mqueue', mount]);
  try {
    const own = (await readdir(mount)).filter((name) => name.startsWith(`${group}.`));
    for (const name of own) await rm(path.join(mount, name));
  } finally {
    await run('umount', [mount]);
    await rmdir(mount);
  }
}
