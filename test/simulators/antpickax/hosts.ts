import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The name by which chmpx goes on when an ini names this machine so, or `undefined` when the name
 * is somebody else's. A loopback name becomes the machine's first other address; of 127.0.0.0/8
 * only 127.0.0.1 counts, and a host name that resolves to loopback does not (measured).
 *
 * With `address` that one address is the whole machine, whichever it is: so several nodes can be
 * on one host. The real programs know nothing like it.
 */
export async function ownName(name: string, address?: string): Promise<string | undefined> {
  const interfaces = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const outward = interfaces.filter((one) => !one.internal);
  if (['localhost', '127.0.0.1', '::1'].includes(name.toLowerCase())) {
    return address ?? outward.find((one) => one.family === 'IPv4')?.address ?? '127.0.0.1';
  }
  const own = address === undefined ? interfaces.map((one) => one.address) : [address];
  if (own.includes(name)) return name;
  const resolved = await lookup(name, { all: true }).catch(() => []);
  const reachable = address === undefined ? outward.map((one) => one.address) : [address];
  return resolved.some((found) => reachable.includes(found.address)) ? name : undefined;
}

/**
 * The name by which chmpx goes on when an ini names another machine so: for an address that has a
 * name in /etc/hosts, that name. The other keeps the address for itself, and the two never agree
 * (measured: the one that joins stays ADD Pending).
 */
export function otherName(name: string): string {
  if (isIP(name) === 0) return name;
  for (const line of readFileSync('/etc/hosts', 'utf8').split('\n')) {
    const [address, known] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === name && known !== undefined) return known;
  }
  return name;
}
