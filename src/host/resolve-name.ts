import { lookup, lookupService } from 'node:dns/promises';
import { isIP } from 'node:net';
import { codeOf } from '../base/errors.ts';

/** The addresses of a host; none when nobody knows its name. Rejects when nobody could be asked. */
export type ResolveName = (name: string) => Promise<string[]>;

/** Asks what chmpx asks too: getaddrinfo, with /etc/hosts and DNS as the system is set up. */
export const resolveName: ResolveName = async (name) => {
  if (isIP(name) !== 0) return [name];
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    if (codeOf(error) === 'ENOTFOUND') return [];
    throw error;
  }
};

/** The name of an address; none when nobody knows one. Rejects when nobody could be asked. */
export type NameOfAddress = (address: string) => Promise<string | null>;

/** Asks what chmpx asks too: getnameinfo, with /etc/hosts and DNS as the system is set up. */
export const nameOfAddress: NameOfAddress = async (address) => {
  try {
    const { hostname } = await lookupService(address, 0);
    return hostname === address ? null : hostname;
  } catch (error) {
    if (codeOf(error) === 'ENOTFOUND') return null;
    throw error;
  }
};
