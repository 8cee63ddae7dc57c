import { existsSync, readFileSync } from 'node:fs';

/**
 * Whether this process has mounts of its own, which nobody else sees, on a VM with systemd: its unit has
 * `ProtectSystem=` or its kin. Other mounts have other numbers in the kernel, and anybody may read those of
 * process 1; its namespace itself (/proc/1/ns/mnt) is only for those with all its capabilities.
 */
export function hasOwnMounts(
  mountInfo: (pid: 'self' | '1') => string = readMountInfo,
  booted = existsSync('/run/systemd/system'),
): boolean {
  if (!booted) return false;
  const first = new Set(mountNumbers(mountInfo('1')));
  return first.size > 0 && !mountNumbers(mountInfo('self')).some((number) => first.has(number));
}

/**
 * Whether a process sees the mounts of this one or those of process 1. In a namespace of its own, which any user can
 * make, a path is what that user says it is.
 */
export function hasKnownMounts(pid: number): boolean {
  const known = new Set(
    (['self', '1'] as const).flatMap((one) => mountNumbers(readMountInfo(one))),
  );
  return mountNumbers(readMountInfo(pid)).some((number) => known.has(number));
}

/**
 * A command that has systemd run another one outside of this unit: with the mounts of process 1 and none
 * of the limits of the agent. It ends with the exit code and the output of the other one.
 *
 * @param unit is the name of its unit: the end of this command is not that of the other one. Default: systemd's.
 * @param limitMs is when systemd ends it, in milliseconds.
 * @param variables are those of systemd-run's own environment that it gets: without their values, which can
 * be secrets and would be seen in the list of processes.
 */
export function outside(
  [command, ...args]: readonly [string, ...string[]],
  { unit, limitMs, variables }: { unit?: string; limitMs: number; variables: readonly string[] },
): [string, string[]] {
  const options = ['--quiet', '--wait', '--pipe', '--collect'];
  const limit = `--property=RuntimeMaxSec=${Math.ceil(limitMs / 1000)}`;
  const named = unit === undefined ? [] : [`--unit=${unit}`];
  const names = variables.map((name) => `--setenv=${name}`);
  return ['systemd-run', [...options, ...named, limit, ...names, '--', command, ...args]];
}

/** The first field of each line: see proc_pid_mountinfo(5). */
function mountNumbers(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\d+/.exec(line) ?? []);
}

function readMountInfo(pid: number | 'self' | '1'): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return ''; // a container may hide process 1
  }
}
