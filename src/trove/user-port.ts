import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import * as v from 'valibot';
import { codeOf, ConfigurationError, messageOf } from '../base/errors.ts';
import { cidrHolds, isCidr } from '../network/cidr.ts';

/** A route of the subnet, as Neutron keeps it. */
export interface HostRoute {
  destination: string;
  nexthop: string;
}

/** What the user's port has of one family. */
export interface UserAddress {
  address: string;
  /** Of the subnet. */
  cidr: string;
  /** Null when the subnet has none; for IPv6 also when routers announce it themselves. */
  gateway: string | null;
  routes: readonly HostRoute[];
}

/** The port that Trove made in the user's network (docs/contracts/trove.md, 8.4). */
export interface UserPort {
  /** In small letters. */
  mac: string;
  /** IPv4 first; at least one. */
  addresses: readonly UserAddress[];
}

/** Neutron lets a subnet have 20 routes by default; a file of more is none of Trove's. */
const MOST_ROUTES = 256;
/** The file of a port with so many routes, and some (bytes). */
const LARGEST_FILE = 64 * 1024;

const address = (family: 4 | 6) =>
  v.pipe(
    v.string('must be text'),
    v.check((text) => isIP(text) === family, `must be an IPv${family} address`),
  );
const cidr = (family: 4 | 6) =>
  v.pipe(
    v.string('must be text'),
    v.check((text) => isCidr(text, family), `must be an IPv${family} network, as ADDRESS/LENGTH`),
  );
const routes = (family: 4 | 6) =>
  v.nullish(
    v.pipe(
      v.array(v.object({ destination: cidr(family), nexthop: address(family) }), 'must be a list'),
      v.maxLength(MOST_ROUTES, `must have at most ${MOST_ROUTES} routes`),
    ),
    [],
  );

/** Keys that nobody here needs are for Trove to add. */
const schema = v.object(
  {
    mac_address: v.pipe(
      v.string('must be text'),
      v.regex(/^(?:[\da-f]{2}:){5}[\da-f]{2}$/i, 'must be a MAC address'),
      v.toLowerCase(),
    ),
    ipv4_address: v.nullish(address(4)),
    ipv4_cidr: v.nullish(cidr(4)),
    ipv4_gateway: v.nullish(address(4)),
    ipv4_host_routes: routes(4),
    ipv6_address: v.nullish(address(6)),
    ipv6_cidr: v.nullish(cidr(6)),
    ipv6_gateway: v.nullish(address(6)),
    ipv6_host_routes: routes(6),
  },
  'must be a map',
);

/**
 * Reads the file in which Trove describes the user's port; null when there is none: Trove makes one
 * only for an instance with two ports.
 *
 * @throws ConfigurationError in one line, for a file that cannot be what Trove wrote.
 */
export async function readUserPort(file: string): Promise<UserPort | null> {
  let text: string;
  try {
    text = await firstBytes(file);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw new ConfigurationError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
  return parseUserPort(text, file);
}

/** A file of another kind can be without an end. */
async function firstBytes(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(LARGEST_FILE + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The content of that file; see `readUserPort`. */
export function parseUserPort(text: string, file: string): UserPort {
  const wrong = (what: string, cause?: unknown): ConfigurationError =>
    new ConfigurationError(
      `${file}: ${what}; Trove writes this file when it makes the instance, for the port in the user's network`,
      { cause },
    );
  if (Buffer.byteLength(text) > LARGEST_FILE) throw wrong('it is larger than 64 KiB');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong('it is not JSON', cause);
  }
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const [issue] = result.issues;
    const key = v.getDotPath(issue);
    throw wrong(
      `${key === null ? 'it' : key} ${issue.received === 'undefined' ? 'is missing' : issue.message}`,
    );
  }
  const port = result.output;
  const addresses = [
    of(port.ipv4_address, port.ipv4_cidr, port.ipv4_gateway, port.ipv4_host_routes),
    of(port.ipv6_address, port.ipv6_cidr, port.ipv6_gateway, port.ipv6_host_routes),
  ].filter((one) => one !== null);
  if (addresses.length === 0) throw wrong('it has neither ipv4_address nor ipv6_address');
  for (const one of addresses) {
    if (one.cidr === '')
      throw wrong(`${one.address} has no network: ipv4_cidr or ipv6_cidr is missing`);
    if (!cidrHolds(one.cidr, one.address)) throw wrong(`${one.address} is not in ${one.cidr}`);
  }
  return { mac: port.mac_address, addresses };
}

function of(
  own: string | null | undefined,
  network: string | null | undefined,
  gateway: string | null | undefined,
  hostRoutes: readonly HostRoute[] | null,
): UserAddress | null {
  if (!own) return null;
  return { address: own, cidr: network ?? '', gateway: gateway ?? null, routes: hostRoutes ?? [] };
}
