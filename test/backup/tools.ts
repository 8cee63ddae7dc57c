import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../helpers/project-root.ts';

/** A program of this name in the directory that is this shell script. */
export async function shellTool(directory: string, name: string, script: string): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o700);
  return file;
}

/** The stand-in for k2hlinetool, as a program in the directory. */
export function standInK2hlinetool(directory: string): Promise<string> {
  const standIn = path.join(projectRoot, 'test/simulators/antpickax/k2hlinetool');
  return shellTool(directory, 'k2hlinetool', `exec perl ${standIn} "$@"`);
}
