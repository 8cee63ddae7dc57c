import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hardwareInfo } from '../../src/host/hardware.ts';

it('says what the kernel says, memory in KiB', () => {
  const memory = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  const cpus = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor\s*:/gm)?.length;
  expect(hardwareInfo()).toEqual({ mem_total: Number(memory), num_cpus: cpus });
});
