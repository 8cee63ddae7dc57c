import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/**
 * The name by which chmpx goes on when an ini names this machine so, or `undefined` when the name
 * is somebody else's. A loopback name becomes the machine's first other address; of 127.0.0.0/8
 * only 127.0.0.1 counts, and a host name that resolves to loopback does not (measured).
 */
export async function ownName(name: string): Promise<string | undefined> {
  const interfaces = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const outward = interfaces.filter((one) => !one.internal);
  if (['localhost', '127.0.0.1', '::1'].includes(name.toLowerCase())) {
    return outward.find((one) => one.family === 'IPv4')?.address ?? '127.0.0.1';
  }
  if (interfaces.some((one) => one.address === name)) return name;
  const resolved = await lookup(name, { all: true }).catch(() => []);
  const own = resolved.some((found) => outward.some((one) => one.address === found.address));
  return own ? name : undefined;
}

/** Whether an address, as a socket reports it, belongs to this machine. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return Object.values(networkInterfaces())
    .flatMap((one) => one ?? [])
    .some((one) => one.address === plain);
}
