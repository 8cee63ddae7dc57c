import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';

/** An address of a host, as dns.lookup gives it. */
export interface Address {
  address: string;
  family: number;
}

/** Finds the addresses of a host; rejects when it has none, or nobody could be asked. */
export type FindAddresses = (host: string) => Promise<readonly Address[]>;

/** Options of node:net that make it try each address of a host for long enough. */
export interface DialOptions {
  lookup?: LookupFunction;
  autoSelectFamily?: boolean;
  autoSelectFamilyAttemptTimeout?: number;
}

/** No address is tried for less (ms): Node's own default. */
const LEAST_ATTEMPT_MS = 250;

/**
 * Finds the addresses of a host, and shares the time for the connection out between them. Node.js
 * gives each but the last 250 ms, which is less than a lost SYN costs (1 s), and then never comes
 * back to it: a host whose second address is not reachable was not reachable at all.
 *
 * @param limitMs for the whole connection
 * @throws what `find` throws, by default dns.lookup.
 */
export async function dialOptions(
  host: string,
  limitMs: number,
  find: FindAddresses = (name) => lookup(name, { all: true }),
): Promise<DialOptions> {
  if (isIP(host) !== 0) return {};
  const found = await find(host);
  const share = Math.floor(limitMs / Math.max(found.length, 1));
  return {
    lookup: known(host, found),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(share, LEAST_ATTEMPT_MS),
  };
}

/** Answers node:net with what is known already, in either of the forms in which it asks. */
function known(host: string, found: readonly Address[]): LookupFunction {
  return (_host, { all, family }, done) => {
    const wanted = family === 4 || family === 6 ? family : null;
    const fitting = found.filter((one) => wanted === null || one.family === wanted);
    const [first] = fitting;
    if (!first) {
      const what = wanted === null ? 'address' : `IPv${wanted} address`;
      done(Object.assign(new Error(`${host} has no ${what}`), { code: 'ENOTFOUND' }), '', 0);
    } else if (all) done(null, [...fitting]);
    else done(null, first.address, first.family);
  };
}
