import { readFile } from 'node:fs/promises';

/** Figures of one process, in the units of /proc/PID/status: sizes are KiB. */
export interface ProcessFigures {
  threads: number;
  /** File descriptors that the kernel has made room for. */
  fd_size: number;
  vm_size: number;
  vm_peak: number;
  vm_rss: number;
  vm_hwm: number;
}

/** Figures of this process; `file` is there for tests. Rejects when a figure is missing. */
export async function processFigures(file = '/proc/self/status'): Promise<ProcessFigures> {
  const text = await readFile(file, 'utf8');
  const figure = (name: string): number => {
    const found = new RegExp(String.raw`^${name}:\s*(\d+)`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`${file} has no ${name}`);
    return Number(found);
  };
  return {
    threads: figure('Threads'),
    fd_size: figure('FDSize'),
    vm_size: figure('VmSize'),
    vm_peak: figure('VmPeak'),
    vm_rss: figure('VmRSS'),
    vm_hwm: figure('VmHWM'),
  };
}
