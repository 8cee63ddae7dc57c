import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of times in /proc: 100 on every Linux. */
const TICK_MS = 10;

/**
 * The fields of /proc/PID/stat from the third one on (proc(5): the state is the first of them); null
 * when there is no such process.
 */
export function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name in parentheses may hold anything, spaces and parentheses included.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** The CPU time that all threads of a process have used, in milliseconds; 0 when it is gone. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid) ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}
