import { readdir, readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

/** An address of this VM. */
export interface OwnAddress {
  address: string;
  family: 4 | 6;
  /** The address with the length of its network, as `10.0.0.5/24`. */
  cidr: string;
  /** The port that has it, as `eth0`. */
  port: string;
}

/** A port of this VM, other than the loopback and bridges without a card. */
export interface Port {
  name: string;
  /** In small letters. */
  mac: string;
  /** Whether somebody has switched it on. */
  isUp: boolean;
  /** Those that other machines can use, IPv4 first. */
  addresses: OwnAddress[];
}

/** Reads the ports of this VM. */
export type ReadPorts = () => Promise<Port[]>;

const SYSTEM = '/sys/class/net';
/** The ports of this process's network; /sys can be that of another one, in a container say. */
const LIST = '/proc/net/dev';
/** IFF_UP, IFF_LOOPBACK of netdevice(7). */
const UP = 0x1;
const LOOPBACK = 0x8;
/** A bridge over a VLAN over a bond over a card has three; the kernel allows eight. */
const MOST_LAYERS = 8;

/**
 * The ports of this VM, by name. A bridge as Docker makes them is none: nobody else is on its other
 * side. One that has a card below it is the port that has that card's addresses. Node.js lists no port without an address, and none that is down: the kernel does.
 */
export async function readPorts(
  system = SYSTEM,
  interfaces = networkInterfaces(),
  list = LIST,
): Promise<Port[]> {
  const text = await readFile(list, 'utf8').catch(() => '');
  const known = [...text.matchAll(/^ *([^\s:]+):/gm)].map(([, name = '']) => name);
  const names = known.length > 0 ? known : Object.keys(interfaces);
  const ports = await Promise.all(names.sort().map((name) => readPort(system, name, interfaces)));
  return ports.filter((port) => port !== null);
}

async function readPort(
  system: string,
  name: string,
  interfaces: ReturnType<typeof networkInterfaces>,
): Promise<Port | null> {
  const folder = path.join(system, name);
  const read = (file: string): Promise<string | null> =>
    readFile(path.join(folder, file), 'utf8').then(
      (text) => text.trim(),
      () => null,
    );
  const isInside = (await exists(path.join(folder, 'bridge'))) && !(await isPhysical(system, name));
  const listed = interfaces[name] ?? [];
  // Node.js lists what is up.
  const flags = listed.length > 0 ? UP : Number((await read('flags')) ?? 0);
  if (isInside || (flags & LOOPBACK) !== 0 || listed.some(({ internal }) => internal)) return null;
  const mac = listed[0]?.mac ?? (await read('address')) ?? '';
  const addresses = listed.flatMap(({ address, family, cidr }): OwnAddress[] => {
    if (cidr === null || isLinkLocal(address)) return [];
    return [{ address, family: family === 'IPv4' ? 4 : 6, cidr, port: name }];
  });
  return {
    name,
    mac: mac.toLowerCase(),
    isUp: (flags & UP) !== 0,
    addresses: addresses.sort((one, other) => one.family - other.family),
  };
}

/** Whether there is a device below a port, or below one of those that it is made of. */
async function isPhysical(system: string, name: string, depth = 0): Promise<boolean> {
  const folder = path.join(system, name);
  if (await exists(path.join(folder, 'device'))) return true;
  const entries = await readdir(folder).catch(() => []);
  const below = entries.filter((one) => one.startsWith('lower_'));
  if (depth >= MOST_LAYERS) return false;
  for (const entry of below) {
    if (await isPhysical(system, entry.slice('lower_'.length), depth + 1)) return true;
  }
  return false;
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Whether an address is good on its own link only, so that nobody is found by it. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address) || address.startsWith('169.254.');
}
