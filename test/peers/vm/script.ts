import { open } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { projectRoot } from '../../helpers/project-root.ts';
import { lastLines, startChild, type Child } from '../child.ts';

/** Where the scripts are, also when this file is part of a bundle in dist/. */
const FOLDER = path.join(projectRoot, 'test/peers/vm');

/** How a script is started. */
export interface ScriptOptions {
  name: 'hub.sh' | 'boot.sh';
  /** What is put before `sh SCRIPT`, such as unshare. */
  prefix: string[];
  args?: string[];
  env: Record<string, string>;
  /** Gets what the script says on stderr. */
  logFile: string;
}

/** A script that has said "ready" and lives until its standard input is closed. */
export interface Holder extends Child {
  stdin: Writable;
}

/** The file of a script or program in this folder. */
export function companion(name: string): string {
  return path.join(FOLDER, name);
}

/** Starts a script; rejects with what it said when it ends without being ready. */
export async function startHolder(options: ScriptOptions): Promise<Holder> {
  const { name, prefix, args = [], env, logFile } = options;
  const log = await open(logFile, 'a');
  try {
    const [command = 'sh', ...rest] = [...prefix, 'sh', companion(name), ...args];
    const child = await startChild(command, rest, {
      cwd: '/',
      env: { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', ...env },
      stdio: ['pipe', 'pipe', log.fd],
    });
    const { stdin, stdout } = child.process;
    if (stdin === null || stdout === null) throw new Error('a script without pipes');
    stdin.on('error', () => undefined); // its end is noticed elsewhere
    for await (const line of createInterface({ input: stdout })) {
      if (line !== 'ready') continue;
      child.process.unref(); // it ends when we do, and must not keep us
      return { ...child, stdin };
    }
    throw new Error(`${name} failed: ${(await lastLines(logFile)) || 'it said nothing'}`);
  } finally {
    await log.close();
  }
}

/** Where the programs of Debian are. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
