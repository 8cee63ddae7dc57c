import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { statFields } from './proc-stat.ts';

/**
 * One process for sure: a PID alone is reused, together with the start time and the boot it is not.
 */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTicks: string;
  bootId: string;
}

/**
 * The identity of a living process, or null. A zombie is dead, nobody may be there to reap it; but
 * one with other threads left still holds its sockets.
 */
export function identify(pid: number, bootId: string): ProcessIdentity | null {
  const fields = statFields(pid) ?? [];
  const [state, threads, startTicks] = [fields[0], Number(fields[17]), fields[19]];
  const isOver = (state === 'Z' || state === 'X') && threads <= 1;
  if (startTicks === undefined || isOver) return null;
  return { pid, startTicks, bootId };
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid, identity.bootId)?.startTicks === identity.startTicks;
}

/** The command line of a process, or an empty list when it is gone or is a kernel thread. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The PIDs of all processes whose command line satisfies `wanted`. */
export function findProcesses(wanted: (argv: string[]) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => wanted(commandLine(pid)));
}

/** When a process was started, in clock ticks since boot; Infinity when it is gone. */
export function startTicks(pid: number): number {
  return Number(identify(pid, '')?.startTicks ?? Infinity);
}

/** The PID namespace of a process, by the kernel's name for it; null when it cannot be known. */
export function pidNamespace(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
