import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { childEnvironment } from '../base/child-environment.ts';
import { ConfigurationError } from '../base/errors.ts';

/** A user of this VM. */
export interface SystemUser {
  name: string;
  uid: number;
  /** Its primary group. */
  gid: number;
}

/**
 * The user of this name, from whatever knows users here.
 *
 * @throws ConfigurationError when there is none, or when this process may not become it.
 */
export async function findUser(name: string): Promise<SystemUser> {
  const entry = await promisify(execFile)('getent', ['passwd', '--', name], {
    env: childEnvironment(),
  }).then(
    ({ stdout }) => stdout.trim().split(':'),
    () => [],
  );
  const [found, , uid = '', gid = ''] = entry;
  if (found !== name || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) {
    throw new ConfigurationError(
      `programs.user: there is no user ${name}; make it with: useradd --system --shell /usr/sbin/nologin ${name}`,
    );
  }
  const own = process.getuid?.();
  if (own !== 0 && own !== Number(uid)) {
    throw new ConfigurationError(
      `programs.user: only root can run programs as ${name}; run the agent as root, or leave programs.user out`,
    );
  }
  return { name, uid: Number(uid), gid: Number(gid) };
}
