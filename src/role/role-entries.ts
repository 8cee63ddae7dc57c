import { networkInterfaces } from 'node:os';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { SlaveNode } from '../ini/model/model.ts';
import { parseRole } from '../ini/text/parse-role.ts';
import type { ResolveName } from '../host/resolve-name.ts';
import type { RoleAccess } from '../k2hr3/extdata.ts';
import type { HttpOptions } from '../k2hr3/exchange.ts';
import {
  isAddressKnown,
  isMember,
  unregister,
  type HostIdentity,
} from '../k2hr3/registration-calls.ts';
import { readResource } from '../k2hr3/resource.ts';

/** One host of a role: a server as its ring has it, or a slave. */
export interface RoleEntry {
  name: string;
  cuk: string;
}

/**
 * The hosts of the role, servers or slaves; none when its resource cannot be understood. Throws
 * K2hr3Error.
 */
export async function readEntries(http: HttpOptions, access: RoleAccess): Promise<RoleEntry[]> {
  const reading = await readResource(http, access);
  const role = reading.changed ? parseRole(reading.text) : null;
  if (!role?.ok) return [];
  const { servers, slaves } = role.model;
  const hosts: readonly SlaveNode[] = isOfSlaves(access) ? slaves : servers;
  return hosts.flatMap(({ name, cuk }) => (cuk === undefined ? [] : [{ name, cuk }]));
}

function isOfSlaves({ roleName }: RoleAccess): boolean {
  return !roleName.endsWith('/server');
}

/** What is needed to find the entries that an earlier server left behind. */
export interface OlderEntries {
  http: HttpOptions;
  access: RoleAccess;
  /** Who this VM is now. */
  identity: HostIdentity;
  entries: readonly RoleEntry[];
  resolve: ResolveName;
  log: Logger;
}

/**
 * Takes out what a server that was here before, with another CUK, has left at this VM's address:
 * registering does not replace it (docs/contracts/k2hr3.md, 2.4). K2HR3 removes nothing but entries
 * of the address that asks, yet several VMs can have one address behind a NAT: a name that resolves
 * to another machine is somebody else's, and a name that nobody could be asked about is spared.
 *
 * @throws AgentError when this VM's name stays with another server: two of one name would be merged
 *   into one by chmpx, so no node could use the role any more. Slaves of one name are served, as one
 *   entry (`oneEntryPerSlave`).
 */
export async function removeOlderEntries(parts: OlderEntries): Promise<void> {
  const { http, access, identity, log } = parts;
  const others = parts.entries.filter(({ cuk }) => cuk !== identity.cuk);
  if (others.length === 0) return;
  const gone = new Set<string>();
  if (await isAddressKnown(http, access)) {
    for (const { cuk, name } of others) {
      if (!(await isMember(http, access, cuk)) || !(await isOurs(name, parts))) continue;
      const outcome = await unregister(http, access, cuk);
      log.warn({ name, cuk, outcome }, 'an older entry of this address was in the role');
      if (outcome === 'unregistered') gone.add(cuk);
    }
  }
  const namesake = others.find(({ cuk, name }) => !gone.has(cuk) && name === identity.tag);
  if (namesake === undefined) return;
  if (isOfSlaves(access)) {
    const { name, cuk } = namesake;
    log.warn({ name, cuk }, 'the role has another slave of this name: take it out if it is gone');
    return;
  }
  throw new AgentError(
    `the role has another host of the name ${namesake.name}, with CUK ${namesake.cuk}: take it out of the role, or give this VM another node.name`,
    { retryable: true },
  );
}

async function isOurs(name: string, { identity, resolve }: OlderEntries): Promise<boolean> {
  if (name === identity.tag) return true;
  const addresses = await resolve(name).catch(() => null);
  if (addresses === null) return false;
  const own = ownAddresses();
  return addresses.every((address) => own.has(address) || address.startsWith('127.'));
}

function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}
