import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { until } from '../helpers/until.ts';
import { identify } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';

/** A process of ours, and who it is. */
export interface Child {
  process: ChildProcess;
  identity: ProcessIdentity;
}

/** How a peer's process is started. */
export interface ChildOptions {
  cwd: string;
  /** The whole environment: nothing of ours is passed on. */
  env: Record<string, string>;
  stdio: StdioOptions;
}

/**
 * Starts a process that never outlives this one, however this one ends: setpriv makes the kernel
 * send it SIGKILL when the thread that started it is gone. It has a session of its own, so that
 * a Ctrl-C in the terminal reaches only us and we can stop things in order.
 */
export async function startChild(
  command: string,
  args: string[],
  { cwd, env, stdio }: ChildOptions,
): Promise<Child> {
  const child = spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    cwd,
    env,
    stdio,
    detached: true,
  });
  await once(child, 'spawn');
  // Before that it can outlive us.
  await until(`${command} has begun`, () => nameOf(child.pid ?? 0) !== 'setpriv', { everyMs: 1 });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`${command} was gone as soon as it was started`);
  return { process: child, identity };
}

function nameOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null; // it is gone
  }
}

/** The last lines of a log, for the message of a start that failed. */
export async function lastLines(file: string, count = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
