import { describe, expect, it } from 'vitest';
import { chooseNetwork, WrongNetwork } from '../../src/network/ring-network.ts';
import { facts, MANAGEMENT, port, USER_MAC, USER_PORT, USERS } from './vm-ports.ts';

/** The choice in short. */
function chosen(change: Parameters<typeof facts>[0]): string {
  const { kind, addresses, others } = chooseNetwork(facts(change));
  const words = (list: typeof addresses): string => list.map(({ address }) => address).join(' ');
  return `${kind}: ${words(addresses)} | ${words(others)}`;
}

const BOTH = '192.168.77.11 | 10.77.0.11';

describe('the network of the ring', () => {
  it.each<[string, Parameters<typeof facts>[0], string]>([
    ['the user’s, because Trove describes it', {}, `user: ${BOTH}`],
    ['the user’s, whatever the option says', { isolation: false }, `user: ${BOTH}`],
    ['the user’s, because it is wanted', { wish: 'user' }, `user: ${BOTH}`],
    ['the other one', { wish: 'management' }, 'management: 10.77.0.11 | 192.168.77.11'],
    ['the one that is named', { wish: '10.77.0.0/16' }, 'cidr: 10.77.0.11 | 192.168.77.11'],
    ['the only one', { userPort: null, ports: [MANAGEMENT] }, 'only: 10.77.0.11 | '],
    ['nobody’s choice', { userPort: null }, 'only: 192.168.77.11 10.77.0.11 | '],
    [
      'the other one of a VM that has no user’s port',
      { userPort: null, ports: [MANAGEMENT], wish: 'management' },
      'management: 10.77.0.11 | ',
    ],
    [
      'of both families, without an address that Trove did not give',
      {
        userPort: {
          ...USER_PORT,
          addresses: [
            ...USER_PORT.addresses,
            { address: 'fd77:1::11', cidr: 'fd77:1::/64', gateway: null, routes: [] },
          ],
        },
        ports: [
          port('ens3', USER_MAC, '192.168.77.11/24', 'fd77:1::11/64', 'fd77:1::dead/64'),
          MANAGEMENT,
        ],
      },
      'user: 192.168.77.11 fd77:1::11 | 10.77.0.11',
    ],
    [
      'at the port with the addresses, where a VLAN has the same MAC address',
      { ports: [port('bond0', USER_MAC), USERS, MANAGEMENT] },
      `user: ${BOTH}`,
    ],
  ])('is %s', (_, change, expected) => {
    expect(chosen(change)).toBe(expected);
  });

  it('is that of the subnet, not of the address', () => {
    expect(chooseNetwork(facts()).subnets).toEqual(['192.168.77.0/24']);
  });
});

describe('a choice that cannot work is refused', () => {
  const down = { ...USERS, isUp: false, addresses: [] };
  it.each<[string, Parameters<typeof facts>[0], string]>([
    [
      'no user’s port',
      { wish: 'user', userPort: null },
      'node.network is user, but Trove describes',
    ],
    ['it is not in the VM', { ports: [MANAGEMENT] }, `no port of this VM has the MAC address`],
    ['it is down', { ports: [down, MANAGEMENT] }, 'ens3, the port in the user’s network, is down'],
    [
      'it has no address',
      { ports: [{ ...USERS, addresses: [] }, MANAGEMENT] },
      'has not the address that Trove gave it (192.168.77.11) but none',
    ],
    [
      'it has another address',
      { ports: [port('ens3', USER_MAC, '192.168.77.99/24'), MANAGEMENT] },
      'but 192.168.77.99 on ens3',
    ],
    ['no other port', { wish: 'management', ports: [USERS] }, 'no port with an address beside'],
    [
      'several others',
      { wish: 'management', ports: [USERS, MANAGEMENT, port('ens5', 'aa', '10.9.0.5/24')] },
      'several ports are not the user’s',
    ],
    [
      'nobody knows which one is the user’s',
      { wish: 'management', userPort: null },
      'Trove does not say which port is the user’s',
    ],
    [
      'not in that network',
      { wish: '10.9.0.0/16' },
      'no address of this VM is in it: 192.168.77.11',
    ],
    ['two ports in it', { wish: '0.0.0.0/0' }, 'holds addresses of several ports'],
    [
      'two networks with the same addresses',
      { ports: [USERS, port('ens4', 'aa', '192.168.77.200/24')] },
      'the networks of ens3 (192.168.77.11/24) and of ens4 (192.168.77.200/24) have addresses in common',
    ],
  ])('%s', (_, change, why) => {
    const choose = () => chooseNetwork(facts(change));
    expect(choose).toThrow(WrongNetwork);
    expect(choose).toThrow(why.replaceAll('’', "'"));
    expect(choose).toThrow(/^[^\n]*$/);
  });
});
