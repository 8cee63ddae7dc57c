import { describe, expect, it } from 'vitest';
import {
  parseRoutes,
  parseRules,
  routingChanges,
  wantedRouting,
  type Route,
} from '../../src/network/source-routes.ts';
import { MANAGEMENT, port, USER_PORT, USERS } from './vm-ports.ts';

const MAIN: Route[] = [
  { table: 254, to: 'default', via: '10.77.0.1', port: 'ens4' },
  { table: 254, to: '10.77.0.0/24', port: 'ens4', from: '10.77.0.11' },
  { table: 254, to: '192.168.77.0/24', port: 'ens3', from: '192.168.77.11' },
];
const FACTS = {
  family: 4 as const,
  addresses: [...USERS.addresses, ...MANAGEMENT.addresses],
  ringPort: 'ens3',
  ringPorts: [8020, 8021],
  main: MAIN,
  userPort: USER_PORT,
};
const NOTHING = { rules: [], routes: [] };

/** The changes as somebody would type them. */
const typed = (...of: Parameters<typeof routingChanges>): string[] =>
  routingChanges(...of).map((words) => words.join(' '));

describe('source routes', () => {
  it('give each port its own table, and the ring its port', () => {
    expect(typed(4, NOTHING, wantedRouting(FACTS))).toEqual([
      '-4 route replace 192.168.77.0/24 dev ens3 src 192.168.77.11 table 27442',
      '-4 route replace default via 192.168.77.1 dev ens3 src 192.168.77.11 table 27442',
      '-4 route replace 10.77.0.0/24 dev ens4 src 10.77.0.11 table 27443',
      '-4 route replace default via 10.77.0.1 dev ens4 src 10.77.0.11 table 27443',
      '-4 route replace 192.168.77.0/24 dev ens3 src 192.168.77.11 table 27450',
      '-4 route replace 10.77.0.0/24 dev ens4 src 10.77.0.11 table 27450',
      '-4 route replace default via 192.168.77.1 dev ens3 src 192.168.77.11 table 27450',
      '-4 rule add priority 27442 from 192.168.77.11 lookup 27442',
      '-4 rule add priority 27443 from 10.77.0.11 lookup 27443',
      '-4 rule add priority 27450 ipproto tcp dport 8020 lookup 27450',
      '-4 rule add priority 27450 ipproto tcp dport 8021 lookup 27450',
    ]);
  });

  it('take the system’s word before Trove’s: a lease can be newer', () => {
    const main = [...MAIN, { table: 254, to: 'default', via: '192.168.77.254', port: 'ens3' }];
    const { routes } = wantedRouting({ ...FACTS, main });
    const defaults = routes.filter(({ to, port: at }) => to === 'default' && at === 'ens3');
    expect(new Set(defaults.map(({ via }) => via))).toEqual(new Set(['192.168.77.254']));
  });

  it('of two defaults of one port have the cheapest', () => {
    const main = [...MAIN, { table: 254, to: 'default', via: '10.77.0.9', port: 'ens4' }];
    const { routes } = wantedRouting({ ...FACTS, main });
    expect(routes.filter(({ via }) => via === '10.77.0.9')).toEqual([]);
  });

  it('have the routes of the user’s subnet, but none through a gateway that is not there', () => {
    const [first] = USER_PORT.addresses;
    if (!first) throw new Error('no address');
    const route = { destination: '192.168.88.0/24', nexthop: '192.168.77.254' };
    const far = { destination: '0.0.0.0/0', nexthop: '172.16.0.1' };
    const userPort = {
      ...USER_PORT,
      addresses: [{ ...first, gateway: null, routes: [route, far] }],
    };
    const { routes } = wantedRouting({ ...FACTS, userPort });
    const ofUser = routes.filter(({ table }) => table === 27442).map(({ to }) => to);
    expect(ofUser).toEqual(['192.168.77.0/24', '192.168.88.0/24']);
  });

  it('are of one family', () => {
    const both = port('ens3', USERS.mac, '192.168.77.11/24', 'fd77:1::11/64');
    const addresses = [...both.addresses, ...MANAGEMENT.addresses];
    const main = [
      { table: 254, to: 'fd77:1::/64', port: 'ens3' },
      { table: 254, to: 'default', via: 'fe80::1', port: 'ens3' },
    ];
    expect(
      typed(6, NOTHING, wantedRouting({ ...FACTS, family: 6, addresses, main, ringPorts: [] })),
    ).toEqual([
      '-6 route replace fd77:1::/64 dev ens3 src fd77:1::11 table 27442',
      '-6 route replace default via fe80::1 dev ens3 src fd77:1::11 table 27442',
      '-6 rule add priority 27442 from fd77:1::11 lookup 27442',
    ]);
  });

  it('change nothing when they are there', () => {
    const wanted = wantedRouting(FACTS);
    expect(routingChanges(4, wanted, wanted)).toEqual([]);
  });

  it('are taken away when they are not wanted any more', () => {
    expect(typed(4, wantedRouting({ ...FACTS, ringPorts: [] }), NOTHING)).toEqual([
      '-4 rule delete priority 27442 from 192.168.77.11 lookup 27442',
      '-4 rule delete priority 27443 from 10.77.0.11 lookup 27443',
      '-4 route delete 192.168.77.0/24 dev ens3 src 192.168.77.11 table 27442',
      '-4 route delete default via 192.168.77.1 dev ens3 src 192.168.77.11 table 27442',
      '-4 route delete 10.77.0.0/24 dev ens4 src 10.77.0.11 table 27443',
      '-4 route delete default via 10.77.0.1 dev ens4 src 10.77.0.11 table 27443',
    ]);
  });

  it('replace a route that leads elsewhere, and delete no other of the same place', () => {
    const wanted = wantedRouting({ ...FACTS, ringPorts: [] });
    const now = {
      ...wanted,
      routes: wanted.routes.map((route) =>
        route.via === '10.77.0.1' ? { ...route, via: '10.77.0.9' } : route,
      ),
    };
    expect(typed(4, now, wanted)).toEqual([
      '-4 route replace default via 10.77.0.1 dev ens4 src 10.77.0.11 table 27443',
    ]);
  });
});

describe('what ip(8) prints (iproute2 6.1)', () => {
  it('of rules: ours alone', () => {
    const text =
      '[{"priority":0,"src":"all","table":"local"},{"priority":27442,"src":"10.0.0.5","table":"27442"},{"priority":27442,"src":"10.9.0.0","srclen":16,"table":"27442"},{"priority":27443,"src":"10.0.0.5","table":"main"},{"priority":27450,"src":"all","ipproto":"tcp","dport":8020,"table":"27442"},{"priority":32766,"src":"all","table":"main"}]';
    expect(parseRules(text)).toEqual([
      { priority: 27442, table: 27442, from: '10.0.0.5' },
      { priority: 27450, table: 27442, toPort: 8020 },
    ]);
  });

  it('of routes: the main table’s, cheapest first, and ours', () => {
    const text =
      '[{"dst":"default","gateway":"10.0.0.1","dev":"e0","table":"27442","prefsrc":"10.0.0.5","flags":[]},{"dst":"default","gateway":"10.0.0.9","dev":"e0","metric":500,"flags":[]},{"dst":"default","gateway":"10.0.0.1","dev":"e0","flags":[]},{"dst":"10.0.0.0/24","dev":"e0","protocol":"kernel","scope":"link","prefsrc":"10.0.0.5","flags":[]},{"type":"local","dst":"10.0.0.5","dev":"e0","table":"local"},{"dst":"fe80::/64","dev":"e0","metric":256},{"dst":"default","metric":1,"nexthops":[{"gateway":"10.0.0.7","dev":"e0"}]}]';
    expect(parseRoutes(text)).toEqual({
      main: [
        { table: 254, to: 'default', via: '10.0.0.1', port: 'e0' },
        { table: 254, to: '10.0.0.0/24', port: 'e0', from: '10.0.0.5' },
        { table: 254, to: 'default', via: '10.0.0.9', port: 'e0' },
      ],
      ours: [{ table: 27442, to: 'default', via: '10.0.0.1', port: 'e0', from: '10.0.0.5' }],
    });
  });

  it('is nothing at all when there is nothing', () => {
    expect(parseRules('')).toEqual([]);
    expect(parseRoutes('[]')).toEqual({ main: [], ours: [] });
  });

  it.each(['{}', '[{"dst":5}]', 'Error'])('is not %s', (text) => {
    expect(() => parseRoutes(text)).toThrow();
  });
});
