import { readFileSync } from 'node:fs';

/** The identifier of this boot of the VM; it changes with every reboot. */
export function readBootId(file = '/proc/sys/kernel/random/boot_id'): string {
  return readFileSync(file, 'utf8').trim();
}
