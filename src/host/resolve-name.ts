import { lookup } from 'node:dns/promises';
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
