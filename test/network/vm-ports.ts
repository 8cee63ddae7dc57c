import type { Port } from '../../src/network/ports.ts';
import type { NetworkFacts } from '../../src/network/ring-network.ts';
import type { UserPort } from '../../src/trove/user-port.ts';

export const USER_MAC = 'fa:16:3e:77:01:0b';

/** A port with these addresses, as ADDRESS/LENGTH. */
export function port(name: string, mac: string, ...cidrs: string[]): Port {
  const addresses = cidrs.map((cidr) => {
    const [address = ''] = cidr.split('/');
    return {
      address,
      cidr,
      port: name,
      family: address.includes(':') ? (6 as const) : (4 as const),
    };
  });
  return { name, mac, isUp: true, addresses };
}

/** The two ports that Trove gives a guest: the user's comes first. */
export const USERS = port('ens3', USER_MAC, '192.168.77.11/24');
export const MANAGEMENT = port('ens4', 'fa:16:3e:00:00:0b', '10.77.0.11/24');

export const USER_PORT: UserPort = {
  mac: USER_MAC,
  addresses: [
    { address: '192.168.77.11', cidr: '192.168.77.0/24', gateway: '192.168.77.1', routes: [] },
  ],
};

/** A VM with two ports, as Trove describes it; `change` says what differs. */
export function facts(change: Partial<NetworkFacts> = {}): NetworkFacts {
  const ports = [USERS, MANAGEMENT];
  return { wish: 'auto', ports, userPort: USER_PORT, isolation: true, ...change };
}
