import { statfs } from 'node:fs/promises';

/**
 * What Trove's get_filesystem_stats answers, in Trove's own units: `total` and `used` are GiB
 * rounded to two digits (at least 0.01), `free` is bytes (docs/contracts/guest.md, 2.1).
 */
export interface FilesystemStats {
  block_size: number;
  total_blocks: number;
  free_blocks: number;
  avail_blocks: number;
  total: number;
  free: number;
  used: number;
}

const GIB = 1024 ** 3;

/** Figures of the file system that holds `directory`. Rejects when it does not exist. */
export async function filesystemStats(directory: string): Promise<FilesystemStats> {
  const { bsize, blocks, bfree, bavail } = await statfs(directory);
  return {
    block_size: bsize,
    total_blocks: blocks,
    free_blocks: bfree,
    avail_blocks: bavail,
    total: gibibytes(blocks * bsize),
    free: bfree * bsize,
    used: gibibytes((blocks - bfree) * bsize),
  };
}

function gibibytes(bytes: number): number {
  return Math.max(0.01, Math.round((bytes / GIB) * 100) / 100);
}
