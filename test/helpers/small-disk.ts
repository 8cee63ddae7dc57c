import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { codeOf, messageOf } from '../../src/base/errors.ts';
import { until } from './until.ts';

/** What can be wrong with a disk. */
export type DiskTrouble = 'full' | 'read-only';

/** A file system in memory of so many KiB that a test fills or makes read-only. */
export class SmallDisk {
  readonly #mountPoint: string;

  private constructor(mountPoint: string) {
    this.#mountPoint = mountPoint;
  }

  /** Mounts it; null, with a loud word, where nobody may mount. */
  static mount(mountPoint: string, kibibytes: number): SmallDisk | null {
    mkdirSync(mountPoint, { recursive: true });
    try {
      const options = `size=${kibibytes}k,mode=0700`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'small', mountPoint], { stdio: 'pipe' });
      return new SmallDisk(mountPoint);
    } catch (error) {
      process.stderr.write(`NOT TESTED: disks that are full or read-only: ${messageOf(error)}\n`);
      return null;
    }
  }

  /** Resolves when it is so: what the processes that have just ended had open is closed by then. */
  async break(trouble: DiskTrouble): Promise<void> {
    if (trouble === 'read-only') {
      await until('nobody has a file open to write', () => this.#remount('ro'));
      return;
    }
    const file = openSync(this.#filler, 'w');
    try {
      for (const size of [65_536, 4_096, 1]) this.#fill(file, size);
    } finally {
      closeSync(file);
    }
  }

  mend(): void {
    this.#remount('rw');
    rmSync(this.#filler, { force: true });
  }

  /** Whoever still has files there keeps them. */
  unmount(): void {
    execFileSync('umount', ['--lazy', this.#mountPoint]);
  }

  get #filler(): string {
    return path.join(this.#mountPoint, 'filler');
  }

  #fill(file: number, size: number): void {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
    }
  }

  /** False: it is busy. */
  #remount(how: 'ro' | 'rw'): boolean {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,${how}`, this.#mountPoint]);
    if (status !== 0 && !stderr.includes('busy')) throw new Error(stderr.toString());
    return status === 0;
  }
}
