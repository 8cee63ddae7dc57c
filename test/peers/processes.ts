import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../../src/base/errors.ts';
import { sleep, systemClock } from '../../src/base/clock.ts';

/** A process that cannot be mistaken for a later one with the same PID. Can be serialised. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks since boot, field 22 of /proc/PID/stat (proc(5)). */
  started: number;
}

interface ProcessStat extends ProcessIdentity {
  parent: number;
  state: string;
  threads: number;
}

/** The identity of a running process; undefined when there is none with this PID. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, started: stat.started };
}

/**
 * Whether this very process still runs; a zombie does not. A killed process whose first thread is
 * a zombie already still holds its sockets until the last of its other threads is gone.
 */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  if (stat?.started !== started) return false;
  return (stat.state !== 'Z' && stat.state !== 'X') || stat.threads > 1;
}

/** The given process and everything below it that runs now. */
export function processTree(root: ProcessIdentity): ProcessIdentity[] {
  if (!isRunning(root)) return [];
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
  const tree: ProcessIdentity[] = [root];
  for (const { pid } of tree) {
    const children = all.filter((stat) => stat.parent === pid);
    tree.push(...children.map((stat) => ({ pid: stat.pid, started: stat.started })));
  }
  return tree;
}

/** Kills the processes with everything below them and resolves when none of them runs any more. */
export async function killTrees(roots: ProcessIdentity[], timeoutMs = 10_000): Promise<void> {
  const victims = roots.flatMap((root) => processTree(root));
  for (const victim of victims) signal(victim, 'SIGKILL');
  const deadline = systemClock.monotonic() + timeoutMs;
  for (let left = victims; left.length > 0; left = left.filter(isRunning)) {
    if (systemClock.monotonic() > deadline) {
      throw new Error(`Still running after SIGKILL: ${left.map(({ pid }) => pid).join(', ')}`);
    }
    await sleep(systemClock, 10);
  }
}

/** Sends a signal to this very process; does nothing when it is gone. */
export function signal(victim: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(victim)) return;
  try {
    process.kill(victim.pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // it is gone
  }
  // The name in parentheses is the only field that can hold spaces or parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? 'X',
    parent: Number(fields[1]),
    threads: Number(fields[17]),
    started: Number(fields[19]),
  };
}
