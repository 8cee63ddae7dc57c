import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../helpers/project-root.ts';

/** The programs that the statements are about. */
export const programs = [
  'chmpx',
  'k2hdkc',
  'chmpxstatus',
  'chmpxlinetool',
  'k2hlinetool',
  'k2hdkclinetool',
] as const;
export type Program = (typeof programs)[number];

/** Whose behaviour a run looks at. */
export interface Subject {
  name: 'stand-ins' | 'real programs';
  /** Release of chmpx. */
  version: string;
  /** The file of a program. */
  readonly program: (name: Program) => string;
}

/**
 * The stand-ins of `npm run build -- --stand-ins`, or with K2HDKC_TEST_SUBJECT=real the programs
 * on PATH. Throws with what is missing and how to get it: no statement is ever skipped.
 */
export function resolveSubject(env: NodeJS.ProcessEnv = process.env): Subject {
  const real = env['K2HDKC_TEST_SUBJECT'] === 'real';
  const folders = real
    ? (env['PATH'] ?? '').split(':')
    : [path.join(projectRoot, 'dist/test/antpickax')];
  const found = new Map(programs.map((name) => [name, findProgram(name, folders)]));
  const missing = programs.filter((name) => found.get(name) === undefined);
  if (missing.length > 0) {
    const cure = real ? 'put the real programs on PATH' : 'run node scripts/build.mjs --stand-ins';
    throw new Error(
      `Conformance needs ${missing.join(', ')}, not in ${folders.join(':')}; ${cure}`,
    );
  }
  const program = (name: Program): string => found.get(name) ?? name;
  return {
    name: real ? 'real programs' : 'stand-ins',
    version: versionOf(program('chmpx')).version,
    program,
  };
}

/** The version and commit that chmpx or k2hdkc gives itself, before those of its libraries. */
export function versionOf(file: string): { version: string; commit: string } {
  const text = execFileSync(file, ['-v'], { encoding: 'utf8' });
  const [, version, commit] = /^\S.*? Version (\S+) \(commit: (\w+)\)/m.exec(text) ?? [];
  return { version: version ?? 'unknown', commit: commit ?? 'unknown' };
}

function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
