import { closeSync, openSync, readFileSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { commandLine, findProcesses, pidNamespace, startTicks } from './identity.ts';
import type { ProgramSpec } from './launcher.ts';

/** What a process is told by. */
export type ProgramSigns = Pick<ProgramSpec, 'command' | 'marks' | 'uid'>;

/**
 * The PIDs of all processes of this program that have the marks of `spec` on their command lines,
 * the oldest first. Anybody can write any command line, so it does not suffice: the executable has to
 * be the program, and the user ours: root, the agent's own, or the one as whom it is started.
 * Processes of containers are not ours, even if their files have the same names. A command may be a link: its
 * executable has the name to which that leads.
 */
export function findPrograms(spec: ProgramSigns): number[] {
  const own = pidNamespace('self');
  const users = new Set([
    0,
    process.getuid?.() ?? 0,
    ...(spec.uid === undefined ? [] : [spec.uid]),
  ]);
  const names = namesOf(spec.command);
  const pids = findProcesses((argv) => isCommand(argv, names, spec.marks)).filter(
    (pid) =>
      pidNamespace(pid) === own && usersOf(pid).every((uid) => users.has(uid)) && isRun(pid, names),
  );
  return pids.toSorted((a, b) => startTicks(a) - startTicks(b));
}

/** The oldest of them, or null. */
export function findProgram(spec: ProgramSigns): number | null {
  return findPrograms(spec)[0] ?? null;
}

/** A script has its interpreter before its own name. */
function isCommand(argv: string[], names: Names, marks: readonly string[]): boolean {
  const start = argv.slice(0, 2).findIndex((word) => isNamed(word, names));
  if (start < 0 || marks.length === 0) return false;
  const args = argv.slice(start + 1);
  return args.some((_, at) => marks.every((mark, offset) => args[at + offset] === mark));
}

/** Whether the executable is the program, which may have been replaced since, or runs it as a script. */
function isRun(pid: number, names: Names): boolean {
  const executable = link(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '');
  if (executable === undefined) return false;
  if (isNamed(executable, names)) return true;
  const script = commandLine(pid)[1] ?? '';
  if (!isNamed(script, names)) return false; // argv[0] says what it likes
  return isScript(path.resolve(link(`/proc/${pid}/cwd`) ?? '/', script));
}

/** How a command is called, and the file that it leads to, when there is one. */
type Names = ReadonlySet<string>;

function namesOf(command: string): Names {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(':');
  const real = folders.map((folder) => realFile(path.join(folder, command))).find(Boolean);
  return new Set([command, real ?? command].map((file) => path.basename(file)));
}

function realFile(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

function isNamed(file: string, names: Names): boolean {
  return names.has(path.basename(file));
}

function isScript(file: string): boolean {
  let opened: number | null = null;
  try {
    opened = openSync(file, 'r');
    const start = Buffer.alloc(2);
    readSync(opened, start, 0, 2, 0);
    return start.toString('latin1') === '#!';
  } catch {
    return false;
  } finally {
    if (opened !== null) closeSync(opened);
  }
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

function link(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
