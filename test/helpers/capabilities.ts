import { readFileSync } from 'node:fs';

/** Bits of a set of capabilities (linux/capability.h). */
const BITS = { sys_resource: 24n } as const;

/** Whether this process has a capability, by /proc/self/status. */
export function hasCapability(name: keyof typeof BITS): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BITS[name]) & 1n) === 1n;
}
