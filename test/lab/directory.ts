import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codeOf } from '../../src/base/errors.ts';

/** Where the lab of this machine is, unless another place is named. */
export const DEFAULT_DIRECTORY = path.join(tmpdir(), 'k2hdkc-lab');

/** The socket that the keeper of a lab listens on. */
export function controlSocket(directory: string): string {
  return path.join(directory, 'control.sock');
}

/** Where the keeper's own words go; it also marks a directory as that of a lab. */
export function keeperLog(directory: string): string {
  return path.join(directory, 'keeper.log');
}

/** Whether a directory is a lab's, and so may be removed as a whole. */
export function isLabDirectory(directory: string): boolean {
  return existsSync(keeperLog(directory));
}

/** Makes the directory for us alone. Throws when something else is there. */
export function makeLabDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const found = lstatSync(directory);
    const ours = found.isDirectory() && found.uid === process.getuid?.();
    if (!ours || (!isLabDirectory(directory) && readdirSync(directory).length > 0)) {
      throw new Error(`${directory} is no lab: remove it, or name another --directory`, {
        cause: error,
      });
    }
  }
}
