import { describe, expect, it } from 'vitest';
import { ofDisk } from '../../src/host/disk-error.ts';

describe('an error of the disk', () => {
  const MOUNTS =
    '/dev/vda1 / ext4 rw 0 0\n/dev/vdb /var/lib/k2hdkc\\040agent xfs rw 0 0\ntmpfs /run tmpfs rw 0 0\n';
  const failed = (code: string): Error => Object.assign(new Error(`${code}: x`), { code });

  it.each([
    [
      'ENOSPC',
      '/var/lib/k2hdkc agent/boot',
      'the file system of /var/lib/k2hdkc agent (/dev/vdb) is full',
    ],
    ['EROFS', '/var/lib/other', 'the file system of / (/dev/vda1) is read-only'],
    ['EDQUOT', '/running/x', 'the file system of / (/dev/vda1) has no quota left'],
    ['EIO', '/run/x', 'the file system of /run (tmpfs) has errors'],
  ])('%s names the file %s and its file system', (code, file, text) => {
    const error = ofDisk(failed(code), file, () => MOUNTS);
    expect(error).toMatchObject({ code, retryable: true });
    expect(String(error)).toContain(`cannot write ${file}: ${text}`);
    expect(ofDisk(error, '/elsewhere', () => MOUNTS)).toBe(error);
  });

  it('of another kind stays as it is', () => {
    const error = failed('ENOENT');
    expect(ofDisk(error, '/x', () => MOUNTS)).toBe(error);
  });
});
