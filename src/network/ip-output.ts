import * as v from 'valibot';
import { FIRST_NUMBER, RING_NUMBER, type Route, type Rule } from './source-routes.ts';

/** More than a VM has, and less than would hurt. */
const MOST_LINES = 10_000;

const ruleSchema = v.pipe(
  v.array(
    v.object({
      priority: v.optional(v.number(), 0),
      src: v.optional(v.string()),
      srclen: v.optional(v.number()),
      ipproto: v.optional(v.string()),
      dport: v.optional(v.number()),
      table: v.optional(v.union([v.string(), v.number()])),
    }),
  ),
  v.maxLength(MOST_LINES),
);
const hop = {
  gateway: v.optional(v.string()),
  // A gateway of the other family.
  via: v.optional(v.object({ host: v.string() })),
  dev: v.optional(v.string()),
  flags: v.optional(v.array(v.string()), []),
};
const routeSchema = v.pipe(
  v.array(
    v.object({
      ...hop,
      type: v.optional(v.string()),
      dst: v.string(),
      // Of a route with several gateways, as the kernel makes it of two routers that announce themselves.
      nexthops: v.optional(v.array(v.object(hop))),
      prefsrc: v.optional(v.string()),
      table: v.optional(v.union([v.string(), v.number()])),
      metric: v.optional(v.number(), 0),
      metrics: v.optional(v.array(v.object({ mtu: v.optional(v.number()) })), []),
    }),
  ),
  v.maxLength(MOST_LINES),
);

const isOurs = (number: number): boolean => number >= FIRST_NUMBER && number <= RING_NUMBER;

/** Our rules among those that `ip -json rule show` prints. Throws for what ip does not print. */
export function parseRules(text: string): Rule[] {
  return v
    .parse(ruleSchema, JSON.parse(text || '[]'))
    .filter(
      ({ priority, table, srclen }) =>
        isOurs(priority) && isOurs(Number(table)) && srclen === undefined,
    )
    .map(({ priority, src, dport, table }) => ({
      priority,
      table: Number(table),
      ...(dport === undefined ? { from: src ?? 'all' } : { toPort: dport }),
    }));
}

/**
 * The routes that `ip -json route show table all` prints: the main table's, cheapest first, and ours. One
 * with several gateways is one for each. Throws for what ip does not print.
 */
export function parseRoutes(text: string): { main: Route[]; ours: Route[] } {
  const all = v
    .parse(routeSchema, JSON.parse(text || '[]'))
    .filter(({ type = 'unicast', dst }) => type === 'unicast' && !isForThisLink(dst))
    .sort((one, other) => one.metric - other.metric)
    .flatMap(routesOfLine);
  return {
    main: all.filter(({ table }) => table === 254),
    ours: all.filter(({ table }) => isOurs(table)),
  };
}

function routesOfLine(line: v.InferOutput<typeof routeSchema>[number]): Route[] {
  const { dst, table, prefsrc, nexthops, metrics } = line;
  const mtu = metrics.find((one) => one.mtu !== undefined)?.mtu;
  return (nexthops ?? [line]).flatMap(({ dev, gateway, via, flags }): Route[] => {
    const next = gateway ?? via?.host;
    if (dev === undefined) return [];
    return [
      {
        table: table === undefined || table === 'main' ? 254 : Number(table),
        to: dst,
        ...(next === undefined ? {} : { via: next }),
        port: dev,
        ...(flags.includes('onlink') ? { onlink: true as const } : {}),
        ...(mtu === undefined ? {} : { mtu }),
        ...(prefsrc === undefined ? {} : { from: prefsrc }),
      },
    ];
  });
}

/** What the kernel makes for each port by itself. */
function isForThisLink(to: string): boolean {
  return to.startsWith('fe80:') || to.startsWith('ff00:') || to.startsWith('169.254.0.0/');
}
