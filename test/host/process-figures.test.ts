import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { processFigures } from '../../src/host/process-figures.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const STATUS = `Name:\tnode
FDSize:\t64
VmPeak:\t   29160 kB
VmSize:\t   29096 kB
VmHWM:\t    2872 kB
VmRSS:\t    2870 kB
Threads:\t2
SigQ:\t0/15362
`;

async function file(text: string): Promise<string> {
  const name = path.join(await temporaryDirectory(), 'status');
  await writeFile(name, text);
  return name;
}

describe('the figures of a process', () => {
  it('are those of /proc/PID/status, in KiB', async () => {
    expect(await processFigures(await file(STATUS))).toEqual({
      threads: 2,
      fd_size: 64,
      vm_size: 29096,
      vm_peak: 29160,
      vm_rss: 2870,
      vm_hwm: 2872,
    });
  });

  it('are our own when no file is named', async () => {
    const { vm_rss } = await processFigures();
    const own = process.memoryUsage.rss() / 1024;
    expect(Math.abs(vm_rss - own)).toBeLessThan(own / 2);
  });

  it('are all there or none', async () => {
    const without = await file(STATUS.replace('VmRSS', 'Other'));
    await expect(processFigures(without)).rejects.toThrow('has no VmRSS');
  });
});
