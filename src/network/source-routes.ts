import type { UserPort } from '../trove/user-port.ts';
import type { OwnAddress } from './ports.ts';
import { cidrHolds } from './cidr.ts';

/**
 * Number of the first table, and of the first rule: nobody else's, "k2" in ASCII. A port has the table
 * and the rules of its own number, and those of the ring's connections come last.
 */
export const FIRST_NUMBER = 27_442;
/** So many ports can have one; a VM of Trove has two. */
export const MOST_PORTS = 8;
export const RING_NUMBER = FIRST_NUMBER + MOST_PORTS;

/** A rule: what it is for, and in which table it looks. */
export interface Rule {
  priority: number;
  table: number;
  /** Of this address, or … */
  from?: string;
  /** … of TCP connections to this port. */
  toPort?: number;
}

/** A route of a table. */
export interface Route {
  table: number;
  /** `default`, a network or an address. */
  to: string;
  via?: string;
  port: string;
  /** The gateway is taken to be next to the port, whatever its addresses say. */
  onlink?: true;
  /** Bytes; the port's own when it is not there. */
  mtu?: number;
  /** The address that a connection without one gets. */
  from?: string;
}

/** Rules and routes of one family. */
export interface Routing {
  rules: Rule[];
  routes: Route[];
}

/** What the routing of a VM is made from. */
export interface RoutingFacts {
  family: 4 | 6;
  /** The ports that have addresses, by name, and these. */
  addresses: readonly OwnAddress[];
  /** The port of the ring. */
  ringPort: string;
  /** The ports of TCP at which the servers of the ring listen. */
  ringPorts: readonly number[];
  /** The main table as the system has made it. */
  main: readonly Route[];
  userPort: UserPort | null;
}

/**
 * By source: what has an address of a port leaves by that port, with the routes of the system for it,
 * so that of two default routes each serves its own. What is inside this VM (a bridge of containers) is
 * reached from every address. And a connection to a server of the ring that is
 * behind a router leaves by the ring's port, whichever default route comes first; one that is next to any
 * port is reached there: the ring may be in that network from before.
 */
export function wantedRouting(facts: RoutingFacts): Routing {
  const own = facts.addresses.filter(({ family }) => family === facts.family);
  const ports = [...new Set(own.map(({ port }) => port))].sort().slice(0, MOST_PORTS);
  const rules: Rule[] = [];
  const routes: Route[] = [];
  for (const [index, port] of ports.entries()) {
    const number = FIRST_NUMBER + index;
    const mine = own.filter((one) => one.port === port);
    rules.push(...mine.map(({ address }) => ({ priority: number, table: number, from: address })));
    routes.push(...routesOf(port, number, mine, facts));
  }
  const ofRing = routes.filter(({ port, via }) => via === undefined || port === facts.ringPort);
  if (facts.ringPorts.length > 0 && ports.includes(facts.ringPort)) {
    const ring = { priority: RING_NUMBER, table: RING_NUMBER };
    rules.push(...[...new Set(facts.ringPorts)].map((toPort) => ({ ...ring, toPort })));
    const byPlace = new Map(ofRing.map((route) => [route.to, { ...route, table: RING_NUMBER }]));
    routes.push(...nearFirst([...byPlace.values()]));
  }
  return { rules, routes };
}

function routesOf(
  port: string,
  table: number,
  own: readonly OwnAddress[],
  { main, family, userPort, addresses }: RoutingFacts,
): Route[] {
  const isOwn = (name: string): boolean => addresses.some((one) => one.port === name);
  const [first] = own;
  const from = first === undefined ? {} : { from: first.address };
  const routes = new Map<string, Route>();
  for (const route of main) {
    if (route.port !== port || routes.has(route.to)) continue;
    routes.set(route.to, { ...from, ...route, table });
  }
  const described = userPort?.addresses.find(({ address }) =>
    own.some((one) => one.address === address),
  );
  if (described) {
    const { gateway } = described;
    const more = [
      ...described.routes.map(({ destination, nexthop }) => ({ to: destination, via: nexthop })),
      ...(gateway === null ? [] : [{ to: 'default', via: gateway }]),
    ];
    for (const { to, via } of more) {
      const whole = to === (family === 4 ? '0.0.0.0/0' : '::/0') ? 'default' : to;
      const isNear = own.some(({ cidr }) => cidrHolds(cidr, via));
      if (isNear && !routes.has(whole)) routes.set(whole, { ...from, table, to: whole, via, port });
    }
  }
  for (const route of main) {
    const isInside = route.via === undefined && route.to !== 'default' && !isOwn(route.port);
    if (isInside && !routes.has(route.to)) routes.set(route.to, { ...route, table });
  }
  return nearFirst([...routes.values()]);
}

/** A gateway must be reachable when its route is made. */
function nearFirst(routes: readonly Route[]): Route[] {
  return [...routes].sort((one, other) => Number(!!one.via) - Number(!!other.via));
}

/** A change of the routing, as words for ip(8). */
export type RoutingChange = readonly string[];

/** What makes the wanted routing of what is there; nothing that is not ours is touched. */
export function routingChanges(family: 4 | 6, now: Routing, wanted: Routing): RoutingChange[] {
  const option = `-${family}`;
  const has = <T>(list: readonly T[], one: T, words: (of: T) => string[]): boolean =>
    list.some((other) => words(other).join(' ') === words(one).join(' '));
  return [
    ...wanted.routes
      .filter((route) => !has(now.routes, route, routeWords))
      .map((route) => [option, 'route', 'replace', ...routeWords(route)]),
    ...wanted.rules
      .filter((rule) => !has(now.rules, rule, ruleWords))
      .map((rule) => [option, 'rule', 'add', ...ruleWords(rule)]),
    ...now.rules
      .filter((rule) => !has(wanted.rules, rule, ruleWords))
      .map((rule) => [option, 'rule', 'delete', ...ruleWords(rule)]),
    ...now.routes
      .filter(({ table, to }) => !wanted.routes.some((one) => one.table === table && one.to === to))
      .map((route) => [option, 'route', 'delete', ...routeWords(route)]),
  ];
}

function ruleWords({ priority, table, from, toPort }: Rule): string[] {
  const what =
    toPort === undefined ? ['from', from ?? 'all'] : ['ipproto', 'tcp', 'dport', String(toPort)];
  return ['priority', String(priority), ...what, 'lookup', String(table)];
}

function routeWords({ table, to, via, port, onlink, mtu, from }: Route): string[] {
  return [
    to,
    ...(via === undefined ? [] : ['via', ...(via.includes(':') ? ['inet6'] : []), via]),
    ...['dev', port],
    ...(onlink ? ['onlink'] : []),
    ...(mtu === undefined ? [] : ['mtu', String(mtu)]),
    ...(from === undefined ? [] : ['src', from]),
    ...['table', String(table)],
  ];
}
