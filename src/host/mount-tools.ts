import { existsSync, readlinkSync } from 'node:fs';
import { childEnvironment } from '../base/child-environment.ts';
import { AgentError } from '../base/errors.ts';
import type { RunTool } from './mount-volume.ts';

/** mkfs of a large volume takes a minute or two; Trove's own agent gives it two (ms). */
const MOUNT_TOOL_MS = 180_000;

/** Runs a tool in this process's own place. */
export const runTool: RunTool = async (command, args) => {
  const { execa } = await import('execa'); // 6 MiB and 50 ms that not every command of ours needs
  const result = await execa(command, args, {
    reject: false,
    stdin: 'ignore', // mkfs asks before it overwrites: nobody answers
    timeout: MOUNT_TOOL_MS,
    extendEnv: false,
    env: childEnvironment({ LC_ALL: 'C' }),
  });
  if (result.code !== undefined && result.exitCode === undefined) {
    throw new AgentError(`${command} cannot be started (${result.code}): install it`, {
      retryable: true,
    });
  }
  return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
};

/**
 * How volumes are mounted so that everybody on the VM sees them: an agent in a mount namespace of its
 * own (a drop-in gave its unit `ProtectSystem=`) has systemd do it, in that of process 1.
 */
export function mountTools(
  namespace = mountNamespace,
  booted = existsSync('/run/systemd/system'),
): { run: RunTool; mountTable: string } {
  const [own, first] = [namespace('self'), namespace('1')];
  const isPrivate = booted && own !== null && first !== null && own !== first;
  if (!isPrivate) return { run: runTool, mountTable: '/proc/self/mounts' };
  return {
    run: (command, args) =>
      runTool('systemd-run', ['--quiet', '--wait', '--pipe', '--collect', '--', command, ...args]),
    mountTable: '/proc/1/mounts',
  };
}

function mountNamespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null; // a container may have no right to look at process 1
  }
}
