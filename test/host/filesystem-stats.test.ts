import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { filesystemStats } from '../../src/host/filesystem-stats.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const GIB = 1024 ** 3;

it('says what stat -f says, in the units of Trove', async () => {
  const directory = await temporaryDirectory();
  const { stdout } = await promisify(execFile)('stat', ['-f', '-c', '%S %b %f %a', directory]);
  const [size = 0, total = 0, free = 0, available = 0] = stdout.split(' ').map(Number);
  const stats = await filesystemStats(directory);
  expect(stats).toMatchObject({ block_size: size, total_blocks: total });
  expect(stats.total).toBeCloseTo((total * size) / GIB, 1);
  // Others write to the disk between the two looks: a hundredth of it is a generous tolerance.
  const near = (blocks: number, expected: number): void => {
    expect(Math.abs(blocks - expected)).toBeLessThan(total / 100);
  };
  near(stats.free_blocks, free);
  near(stats.avail_blocks, available);
  near(stats.free / size, free);
  near((stats.used * GIB) / size, total - free);
  expect(stats.free).toBe(stats.free_blocks * size);
});

it('is never zero GiB: Trove divides by it', async () => {
  expect(await filesystemStats('/proc')).toMatchObject({ total: 0.01, used: 0.01, free: 0 });
});

it('rejects for a directory that does not exist', async () => {
  await expect(filesystemStats('/nonexistent')).rejects.toThrow('ENOENT');
});
