import { isIP } from 'node:net';
import { isLoopbackAddress } from '../host/loopback.ts';
import { cidrHolds } from './cidr.ts';
import { isLinkLocal } from './ports.ts';
import type { RingNetwork } from './ring-network.ts';

/**
 * Why a ring cannot have this VM under a name that leads to these addresses, as far as this VM can see;
 * null when it can. What is known of the name is what this VM's own system says, and that may know it by
 * a loopback address (Debian, cloud-init), or by all its addresses (systemd-resolved, nss-myhostname):
 * nothing is wrong with that. The others judge what they find.
 */
export function whyNotOurs(
  name: string,
  found: readonly string[],
  network: RingNetwork,
): string | null {
  const addresses = found.filter((one) => !isLoopbackAddress(one) && !isLinkLocal(one));
  const strange = addresses.find((one) => !network.all.some(({ address }) => address === one));
  if (isIP(name) === 0 && network.kind === 'only') return null;
  if (strange !== undefined) {
    return `${leads(name, strange)}, which is no address of this VM (it has ${network.all.map(({ address }) => address).join(', ') || 'none'})`;
  }
  if (network.addresses.some(({ address }) => addresses.includes(address))) return null;
  const elsewhere = network.others.find(({ address }) => addresses.includes(address));
  if (elsewhere === undefined) return null;
  return `${leads(name, elsewhere.address)} on ${elsewhere.port}, and the ring is in ${placeOf(network)} (${network.why})`;
}

/**
 * Why another server of the ring, with a name that leads to these addresses, is in another network than
 * the ring; null when it is not, or nobody can say: behind a router there are networks that this VM has
 * no address of.
 */
export function whyElsewhere(
  name: string,
  found: readonly string[],
  { kind, subnets, others, ...network }: RingNetwork,
): string | null {
  if (kind === 'only') return null;
  for (const address of found) {
    if (subnets.some((subnet) => cidrHolds(subnet, address))) continue;
    const other = others.find(({ cidr }) => cidrHolds(cidr, address));
    if (other === undefined) continue;
    return `${leads(name, address)}, which is in the network of ${other.port} (${other.cidr}), and the ring is in ${placeOf(network)} (${network.why})`;
  }
  return null;
}

/** `192.168.1.5 on eth0`, for a person. */
export function placeOf({ addresses }: Pick<RingNetwork, 'addresses'>): string {
  const [first] = addresses;
  return first === undefined ? 'no network' : `${first.cidr} on ${first.port}`;
}

function leads(name: string, address: string): string {
  return name === address ? `it is at ${address}` : `${name} leads to ${address}`;
}
