import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../../src/base/errors.ts';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { readBootId } from '../../src/host/boot-id.ts';
import * as own from '../../src/process/identity.ts';

export { isAlive as isRunning, type ProcessIdentity } from '../../src/process/identity.ts';

/** The identity of a running process, which can be serialised; undefined when there is none. */
export function identify(pid: number): own.ProcessIdentity | undefined {
  return own.identify(pid, readBootId()) ?? undefined;
}

/** The given process and everything below it that runs now. */
export function processTree(root: own.ProcessIdentity): own.ProcessIdentity[] {
  if (!own.isAlive(root)) return [];
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const tree = [root];
  for (const { pid } of tree) {
    const children = pids.filter((other) => parents.get(other) === pid).map(identify);
    tree.push(...children.filter((found) => found !== undefined));
  }
  return tree;
}

/** Kills the processes with everything below them and resolves when none of them runs any more. */
export async function killTrees(roots: own.ProcessIdentity[], timeoutMs = 10_000): Promise<void> {
  const victims = roots.flatMap((root) => processTree(root));
  for (const victim of victims) signal(victim, 'SIGKILL');
  const deadline = systemClock.monotonic() + timeoutMs;
  for (let left = victims; left.length > 0; left = left.filter(own.isAlive)) {
    if (systemClock.monotonic() > deadline) {
      throw new Error(`Still running after SIGKILL: ${left.map(({ pid }) => pid).join(', ')}`);
    }
    await sleep(systemClock, 10);
  }
}

/** Sends a signal to this very process; does nothing when it is gone. */
export function signal(victim: own.ProcessIdentity, name: NodeJS.Signals): void {
  if (!own.isAlive(victim)) return;
  try {
    process.kill(victim.pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
  } catch {
    return undefined; // it is gone
  }
}
