import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

const run = promisify(execFile);
const FILE = path.join(projectRoot, 'systemd/60-k2hdkc.conf');

/** Applies the file as systemd does at boot, and reads what it has set. */
const APPLY = `/lib/systemd/systemd-sysctl "${FILE}" && cat /proc/sys/fs/mqueue/msg_max`;

it('systemd applies the kernel parameters that a chmpx of its own user needs', async (test) => {
  // Each IPC namespace has its own: this machine keeps its value.
  const problem = await run('unshare', ['--ipc', 'true']).then(
    () => null,
    (error: unknown) => String(error),
  );
  if (problem !== null) {
    process.stderr.write(`NOT TESTED: 60-k2hdkc.conf, no IPC namespace here: ${problem}\n`);
    return test.skip();
  }
  const { stdout, stderr } = await run('unshare', ['--ipc', 'sh', '-c', APPLY]);
  expect(stderr).toBe('');
  expect(Number(stdout)).toBeGreaterThanOrEqual(136);
});
