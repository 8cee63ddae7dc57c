import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMountPoint } from '../../src/host/mounts.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const TABLE = String.raw`/dev/vda1 / ext4 rw,relatime 0 0
/dev/vdb /var/lib/antpickax/k2hdkc ext4 rw,noatime 0 0
/dev/vdc /mnt/my\040data\134x ext4 rw 0 0
`;

describe('the table of the kernel', () => {
  it.each([
    ['/', true],
    ['/var/lib/antpickax/k2hdkc', true],
    ['/var/lib/antpickax/k2hdkc//', true],
    ['/var/lib/antpickax', false],
    ['/var/lib/antpickax/k2hdkc/data', false],
    ['/dev/vdb', false],
    ['ext4', false],
    [String.raw`/mnt/my data\x`, true],
    [String.raw`/mnt/my\040data\134x`, false],
  ])('%s: %s', async (directory, mounted) => {
    const table = path.join(await temporaryDirectory(), 'mounts');
    await writeFile(table, TABLE);
    await expect(isMountPoint(directory, table)).resolves.toBe(mounted);
  });

  it('is the real one when no other is named', async () => {
    await expect(isMountPoint('/proc')).resolves.toBe(true);
    await expect(isMountPoint(await temporaryDirectory())).resolves.toBe(false);
  });
});
