import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../src/base/errors.ts';

/**
 * A loop device on a new and empty file of so many megabytes, of which only what is written takes
 * room; null, with a loud word, where there are none.
 */
export function loopDevice(file: string, megabytes: number): string | null {
  writeFileSync(file, '');
  truncateSync(file, megabytes * 1_000_000);
  try {
    return execFileSync('losetup', ['--find', '--show', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (error) {
    process.stderr.write(`NOT TESTED: a real volume, no loop device here: ${messageOf(error)}\n`);
    return null;
  }
}

export function detachLoopDevice(device: string): void {
  execFileSync('losetup', ['--detach', device]);
}
