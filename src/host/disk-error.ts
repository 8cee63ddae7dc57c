import { readFileSync } from 'node:fs';
import { AgentError, codeOf, messageOf } from '../base/errors.ts';
import { isWithin } from '../base/paths.ts';
import { tableOfMounts } from './mounts.ts';

/** What the file system as a whole is when a file of it cannot be written: errno(3). */
const STATES: Readonly<Record<string, string>> = {
  ENOSPC: 'is full (of bytes or of files)',
  EDQUOT: 'has no quota left',
  EROFS: 'is read-only',
  EIO: 'has errors',
};

/** A file system that takes no files. `code` is the system's own. */
export class DiskError extends AgentError {
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause, retryable: true });
    this.code = code;
  }
}

/**
 * What a failed write is for a person, when the disk is to blame: the system's own error has neither the file
 * nor its file system. Any other error is given back as it is.
 */
export function ofDisk(error: unknown, file: string, mounts = readMounts): unknown {
  const code = codeOf(error) ?? '';
  const state = STATES[code];
  if (state === undefined || error instanceof DiskError) return error;
  const { device, mountPoint } = fileSystemOf(file, mounts());
  const what = device === '' ? 'its file system' : `the file system of ${mountPoint} (${device})`;
  return new DiskError(
    code,
    `cannot write ${file}: ${what} ${state}: ${messageOf(error)}; look at it with: df -h ${mountPoint}; df -i ${mountPoint}`,
    error,
  );
}

/** The mount with the longest name above a file; of several at one place the last. */
function fileSystemOf(file: string, table: string): { device: string; mountPoint: string } {
  let found = { device: '', mountPoint: '/' };
  for (const mount of tableOfMounts(table)) {
    const { mountPoint } = mount;
    if (isWithin(file, mountPoint) && mountPoint.length >= found.mountPoint.length) found = mount;
  }
  return found;
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return '';
  }
}
