import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../base/clock.ts';

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

/** How the addresses of a host are found. */
export interface Dialing {
  /** For the whole connection, the search included (ms). */
  limitMs: number;
  clock: Clock;
  /** Default: dns.lookup. */
  find?: FindAddresses | undefined;
}

/** No address is tried for less (ms): Node's own default. */
const LEAST_ATTEMPT_MS = 250;

/**
 * Finds the addresses of a host, and shares the time that is left for the connection out between them.
 * Node.js gives each but the last 250 ms, which is less than a lost SYN costs (1 s), and then never comes
 * back to it: a host whose second address is not reachable was not reachable at all.
 *
 * @throws what `find` throws.
 */
export async function dialOptions(
  host: string,
  { limitMs, clock, find = (name) => lookup(name, { all: true }) }: Dialing,
): Promise<DialOptions> {
  if (isIP(host) !== 0) return {};
  const begun = clock.monotonic();
  const found = await find(host);
  const leftMs = limitMs - (clock.monotonic() - begun);
  const share = Math.floor(leftMs / Math.max(found.length, 1));
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
