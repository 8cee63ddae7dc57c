import { cpus, totalmem } from 'node:os';

/**
 * What Trove's get_hwinfo answers. Trove passes the numbers on as they are; its own stand-in for a
 * guest says 524288 for a small VM, so memory is in KiB (docs/contracts/guest.md, 2.2).
 */
export interface HardwareInfo {
  /** KiB of memory that the kernel has, as MemTotal of /proc/meminfo. */
  mem_total: number;
  /** CPUs that are online. */
  num_cpus: number;
}

/** The memory and the CPUs of this VM. */
export function hardwareInfo(): HardwareInfo {
  return { mem_total: Math.round(totalmem() / 1024), num_cpus: cpus().length };
}
