import {
  closeSync,
  constants,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { hasKnownMounts } from '../host/outside.ts';
import { commandLine } from './identity.ts';

/** What a command of agent.yaml is on disk. */
export interface Executable {
  /** Where its links lead; of one that is gone, where it would be. */
  files: readonly string[];
  /** The executable that the kernel runs for it when it is a script; null when it is none. */
  interpreter: Executable | null;
}

/** What is behind a command: a path, or a name to be found on PATH. */
export function executableOf(command: string): Executable {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(':');
  const places = folders.map((folder) => path.resolve(folder, command));
  const real = places.map(realFile).find(Boolean);
  if (real === undefined) return { files: places, interpreter: null };
  return { files: [real], interpreter: interpreterOf(real) };
}

/**
 * Whether a process runs this very file: by its inode, or by its path when it has been replaced since, as by a
 * new package. Its command line, which anybody can write, says only which script an interpreter has.
 */
export function isRun(pid: number, { files, interpreter }: Executable): boolean {
  if (interpreter === null) return files.some((file) => isFileOf(pid, file));
  return isRun(pid, interpreter) && scriptsOf(pid).some((script) => files.includes(script));
}

function isFileOf(pid: number, file: string): boolean {
  const executable = `/proc/${pid}/exe`;
  if (isSameFile(executable, file)) return true;
  // In mounts of its own a process can give any path to its executable: user namespaces let it.
  return link(executable) === `${file} (deleted)` && hasKnownMounts(pid);
}

/** The kernel puts at most one word between interpreter and script. */
function scriptsOf(pid: number): string[] {
  const folder = link(`/proc/${pid}/cwd`) ?? '/';
  return commandLine(pid)
    .slice(1, 3)
    .flatMap((word) => realFile(path.resolve(folder, word)) ?? []);
}

/** `#!/usr/bin/env NAME` runs what has this name on PATH. */
function interpreterOf(file: string): Executable | null {
  const [, words = ''] = /^#!(.*)/.exec(beginningOf(file)) ?? [];
  const [command, name] = words.trim().split(/\s+/);
  if (command === undefined || command === '') return null;
  const isLookup = path.basename(command) === 'env' && name !== undefined;
  return { files: executableOf(isLookup ? name : command).files, interpreter: null };
}

function beginningOf(file: string): string {
  let opened: number | null = null;
  try {
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const start = Buffer.alloc(256); // the kernel reads no more of a #! line
    return start.toString('latin1', 0, readSync(opened, start, 0, start.length, 0));
  } catch {
    return '';
  } finally {
    if (opened !== null) closeSync(opened);
  }
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function realFile(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
