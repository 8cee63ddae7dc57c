import { childEnvironment } from '../base/child-environment.ts';
import { AgentError } from '../base/errors.ts';
import type { RunTool } from './mount-volume.ts';
import { hasOwnMounts, outside } from './outside.ts';

/** mkfs of a large volume takes a minute or two; Trove's own agent gives it two (ms). */
const MOUNT_TOOL_MS = 180_000;
/** Tools are to speak English. */
const ENVIRONMENT = { LC_ALL: 'C' };

/** Runs a tool in this process's own place. */
export const runTool: RunTool = async (command, args) => {
  const { execa } = await import('execa'); // 6 MiB and 50 ms that not every command of ours needs
  const result = await execa(command, args, {
    reject: false,
    stdin: 'ignore', // mkfs asks before it overwrites: nobody answers
    timeout: MOUNT_TOOL_MS,
    extendEnv: false,
    env: childEnvironment(ENVIRONMENT),
  });
  if (result.code !== undefined && result.exitCode === undefined) {
    throw new AgentError(`${command} cannot be started (${result.code}): install it`, {
      retryable: true,
    });
  }
  return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
};

/**
 * How volumes are mounted so that everybody on the VM sees them: for an agent with mounts of its own, as
 * our unit has them, systemd does it in those of process 1.
 */
export function mountTools(isPrivate = hasOwnMounts()): { run: RunTool; mountTable: string } {
  if (!isPrivate) return { run: runTool, mountTable: '/proc/self/mounts' };
  return {
    run: (command, args) => {
      const how = { limitMs: MOUNT_TOOL_MS, variables: Object.keys(ENVIRONMENT) };
      return runTool(...outside([command, ...args], how));
    },
    mountTable: '/proc/1/mounts',
  };
}
