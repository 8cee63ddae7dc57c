import { BlockList, isIP } from 'node:net';

/** A network of either family, taken apart. */
interface Cidr {
  address: string;
  length: number;
  family: 4 | 6;
}

/** Whether a text is a network as ADDRESS/LENGTH; of one family, if one is given. */
export function isCidr(text: string, family?: 4 | 6): boolean {
  const parts = partsOf(text);
  return parts !== null && (family === undefined || parts.family === family);
}

/** Whether an address is in a network; never for one of the other family, or for no address. */
export function cidrHolds(network: string, address: string): boolean {
  const parts = partsOf(network);
  const family = isIP(address);
  if (parts === null || family !== parts.family) return false;
  const list = new BlockList();
  const word = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(parts.address, parts.length, word);
  return list.check(address, word);
}

/** Whether two networks have an address in common: then one of them is in the other. */
export function cidrsOverlap(one: string, other: string): boolean {
  const first = partsOf(one);
  const second = partsOf(other);
  if (first === null || second === null) return false;
  return first.length <= second.length
    ? cidrHolds(one, second.address)
    : cidrHolds(other, first.address);
}

function partsOf(text: string): Cidr | null {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  const length = Number(digits);
  if ((family !== 4 && family !== 6) || length > (family === 4 ? 32 : 128)) return null;
  return { address, length, family };
}
