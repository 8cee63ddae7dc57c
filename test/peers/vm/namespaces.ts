import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { commandLine } from '../../../src/process/identity.ts';
import { identify, type ProcessIdentity } from '../processes.ts';

/** A process of a VM, seen from both sides. */
export interface VmProcess {
  /** Its PID inside. */
  pid: number;
  /** Its identity on the host. */
  identity: ProcessIdentity;
  command: string[];
}

/** Puts a command into all namespaces of the VM whose process 1 has this PID on the host. */
export function inside(init: number, command: string[]): string[] {
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid'];
  return ['nsenter', '--target', String(init), ...namespaces, '--', ...command];
}

/** All processes in the PID namespace of `init`, process 1 and those that entered included. */
export function processesIn(init: number): VmProcess[] {
  const namespace = linkOf(init);
  if (namespace === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => linkOf(pid) === namespace)
    .map((pid) => describe(pid))
    .filter((found) => found !== undefined);
}

/** The children of a process that run or are zombies. */
export function childrenOf(pid: number): ProcessIdentity[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  } catch {
    return []; // it is gone
  }
  const pids = text.split(' ').filter((word) => word !== '');
  return pids.map((word) => identify(Number(word))).filter((found) => found !== undefined);
}

function describe(pid: number): VmProcess | undefined {
  const identity = identify(pid);
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
    return identity && { pid: Number(own), identity, command: commandLine(pid) };
  } catch {
    return undefined; // it is gone
  }
}

function linkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined; // it is gone
  }
}
