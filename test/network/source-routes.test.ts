import { describe, expect, it } from 'vitest';
import { routingChanges, wantedRouting, type Route } from '../../src/network/source-routes.ts';
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

  it('lead from every address to what is inside this VM, and through no tunnel', () => {
    const main = [
      ...MAIN,
      { table: 254, to: '172.17.0.0/16', port: 'docker0', from: '172.17.0.1' },
      { table: 254, to: '10.99.0.0/16', via: '172.17.0.9', port: 'docker0' },
      { table: 254, to: 'default', port: 'ppp0' },
      { table: 254, to: '0.0.0.0/1', via: '10.8.0.1', port: 'tun0' },
    ];
    const { routes } = wantedRouting({ ...FACTS, main });
    const more = routes.filter(({ port: at }) => at !== 'ens3' && at !== 'ens4');
    const bridge = { to: '172.17.0.0/16', port: 'docker0', from: '172.17.0.1' };
    expect(more).toEqual([27_442, 27_443, 27_450].map((table) => ({ ...bridge, table })));
  });

  it('keep what a route of the system says of its gateway and its packets', () => {
    const main: Route[] = [
      { table: 254, to: 'default', via: '172.31.1.1', port: 'ens4', onlink: true, mtu: 1400 },
      { table: 254, to: '10.88.0.0/16', via: 'fe80::1', port: 'ens4' },
    ];
    const wanted = wantedRouting({ ...FACTS, main, ringPorts: [], userPort: null });
    expect(typed(4, NOTHING, wanted).slice(0, 2)).toEqual([
      '-4 route replace default via 172.31.1.1 dev ens4 onlink mtu 1400 src 10.77.0.11 table 27443',
      '-4 route replace 10.88.0.0/16 via inet6 fe80::1 dev ens4 src 10.77.0.11 table 27443',
    ]);
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
      '-6 route replace default via inet6 fe80::1 dev ens3 src fd77:1::11 table 27442',
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
