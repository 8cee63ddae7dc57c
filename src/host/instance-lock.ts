import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { AgentError, codeOf } from '../base/errors.ts';

/**
 * Holds `directory`, which must exist, for this process alone. The lock is a listening socket in Linux's abstract
 * name space: taking it is atomic and it ends with the process, so nothing stale is ever left, not
 * even by SIGKILL.
 *
 * @returns what gives the lock back.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.destroy());
  await listen(server, await lockName(directory), directory);
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
    });
}

/** Whether a process holds `directory`, which must exist. The holder does not notice the question. */
export async function isLocked(directory: string): Promise<boolean> {
  const socket = connect(await lockName(directory));
  return new Promise((resolve) => {
    const end = (held: boolean): void => {
      socket.destroy();
      resolve(held);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** In the abstract name space of this machine's sockets. */
async function lockName(directory: string): Promise<string> {
  const path = await realpath(directory); // one directory can have many names
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 32);
  return `\0k2hdkc-guest-agent/${digest}`;
}

function listen(server: Server, name: string, directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        codeOf(error) === 'EADDRINUSE'
          ? new AgentError(
              `another k2hdkc-agent already runs with the state directory ${directory}: stop it first, or give this one a paths.state_dir of its own`,
            )
          : error,
      );
    });
    server.listen(name, () => resolve());
  });
}
