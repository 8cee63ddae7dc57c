import path from 'node:path';
import { findProcesses, pidNamespace, startTicks } from './identity.ts';
import type { ProgramSpec } from './launcher.ts';

/**
 * The PIDs of all processes of this program that have the marks of `spec` on their command lines,
 * the oldest first. Processes of containers are not ours, even if their files have the same names.
 */
export function findPrograms(spec: Pick<ProgramSpec, 'command' | 'marks'>): number[] {
  const own = pidNamespace('self');
  const pids = findProcesses((argv) => isProgram(argv, spec)).filter(
    (pid) => pidNamespace(pid) === own,
  );
  return pids.toSorted((a, b) => startTicks(a) - startTicks(b));
}

/** The oldest of them, or null. */
export function findProgram(spec: Pick<ProgramSpec, 'command' | 'marks'>): number | null {
  return findPrograms(spec)[0] ?? null;
}

/** A script has its interpreter before its own name. */
function isProgram(argv: string[], { command, marks }: Pick<ProgramSpec, 'command' | 'marks'>) {
  const program = path.basename(command);
  const start = argv.slice(0, 2).findIndex((word) => path.basename(word) === program);
  if (start < 0 || marks.length === 0) return false;
  const args = argv.slice(start + 1);
  return args.some((_, at) => marks.every((mark, offset) => args[at + offset] === mark));
}
