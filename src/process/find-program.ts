import { readFileSync } from 'node:fs';
import { controlGroup } from './control-group.ts';
import { executableOf, isRun } from './executable.ts';
import { findProcesses, pidNamespace, startTicks } from './identity.ts';
import type { ProgramSpec } from './launcher.ts';

/** What a process is told by. */
export type ProgramSigns = Pick<ProgramSpec, 'command' | 'marks' | 'uid'>;

/**
 * The PIDs of all processes of this program that have the marks of `spec` on their command lines,
 * the oldest first. Anybody can write any command line, so it does not suffice: the executable has to
 * be the program's own file, and the user ours: root, the agent's own, or the one as whom it is started.
 * Processes of containers are not ours, even if their files have the same names.
 */
export function findPrograms({ command, marks, uid }: ProgramSigns): number[] {
  const own = pidNamespace('self');
  const users = new Set([...trustedUsers(), ...(uid === undefined ? [] : [uid])]);
  const executable = executableOf(command);
  const pids = findProcesses((argv) => hasMarks(argv, marks)).filter(
    (pid) => pidNamespace(pid) === own && isOf(pid, users) && isRun(pid, executable),
  );
  return pids.toSorted((a, b) => startTicks(a) - startTicks(b));
}

/**
 * The oldest process that can be adopted, or null. A process of `programs.user` must also be in a control group of
 * ours, which that user cannot enter: whoever is that user can start the same file with the same words.
 */
export function findProgram(
  signs: ProgramSigns,
  isOurGroup: (group: string) => boolean,
): number | null {
  const trusted = trustedUsers();
  const isOurs = (pid: number): boolean =>
    isOf(pid, trusted) || isOurGroup(controlGroup(pid) ?? '');
  return findPrograms(signs).find(isOurs) ?? null;
}

/** Root, and whoever this agent is. */
function trustedUsers(): ReadonlySet<number> {
  return new Set([0, process.getuid?.() ?? 0]);
}

function hasMarks(argv: string[], marks: readonly string[]): boolean {
  if (marks.length === 0) return false;
  const args = argv.slice(1);
  return args.some((_, at) => marks.every((mark, offset) => args[at + offset] === mark));
}

/** Whether it is of these users, really and in effect; false when it is gone. */
function isOf(pid: number, users: ReadonlySet<number>): boolean {
  const found = usersOf(pid);
  return found.length > 0 && found.every((uid) => users.has(uid));
}

/**
 * The real and the effective user of a process, none when it is gone. The owner of /proc/PID does not
 * tell: it is root for every process that cannot be dumped (proc(5)).
 */
function usersOf(pid: number): number[] {
  try {
    const [, users = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return users.split('\t').slice(0, 2).map(Number);
  } catch {
    return [];
  }
}
