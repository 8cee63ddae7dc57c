import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HUB, vmPlace } from './addresses.ts';
import type { Hub } from './hub.ts';
import type { LabVm } from './lab-vm.ts';
import { SYSTEM_PATH } from './script.ts';

/** Of which family the addresses of both networks are. */
export type Family = 'ipv4' | 'dual' | 'ipv6';

/** How a user's network is made. */
export interface UserNetworkOptions {
  /** Default ipv4. */
  family?: Family;
  /** Of the user's network; default 1450, as an overlay of Neutron leaves it. */
  mtu?: number;
}

const BRIDGE = 'lab1';
/** The port of the management network in a VM, and that in the user's. */
const MANAGEMENT = 'eth0';
const USERS = 'eth1';

/** Where a VM is in both networks. */
interface Place {
  mac: string;
  users: { v4: string; v6: string };
  management: { v4: string; v6: string };
}

/** Where the peers outside are: what the family of the networks permits. */
export const HUB_V6 = 'fd77::1';

/**
 * A second network for the VMs of a lab, as Trove gives it to guests: the user's, beside that of the lab,
 * which becomes the management network. Names lead to the user's. Both have a gateway, which is the hub.
 * As security groups and port security do it, the management network lets VMs reach the hub only, and
 * takes no packet with an address of the other network.
 */
export class UserNetwork {
  readonly family: Family;
  readonly #hub: Hub;
  readonly #mtu: number;

  private constructor(hub: Hub, family: Family, mtu: number) {
    this.#hub = hub;
    this.family = family;
    this.#mtu = mtu;
  }

  static async open(
    hub: Hub,
    { family = 'ipv4', mtu = 1450 }: UserNetworkOptions = {},
  ): Promise<UserNetwork> {
    await hub.ip('link', 'add', BRIDGE, 'mtu', String(mtu), 'type', 'bridge');
    const network = new UserNetwork(hub, family, mtu);
    await network.#inHub('sysctl', '-qw', 'net.ipv4.conf.lab0.rp_filter=1');
    if (family !== 'ipv6') await hub.ip('address', 'add', '192.168.77.1/24', 'dev', BRIDGE);
    if (family !== 'ipv4') {
      for (const bridge of ['lab0', BRIDGE]) {
        await network.#inHub('sysctl', '-qw', `net.ipv6.conf.${bridge}.disable_ipv6=0`);
      }
      await hub.ip('-6', 'address', 'add', `${HUB_V6}/64`, 'dev', 'lab0', 'nodad');
      await hub.ip('-6', 'address', 'add', 'fd77:1::1/64', 'dev', BRIDGE, 'nodad');
    }
    await hub.ip('link', 'set', BRIDGE, 'up');
    return network;
  }

  /** eth1.json of a VM, as Trove's `_get_user_nic_info` makes it. */
  describe(number: number): Record<string, unknown> {
    const { mac, users } = placeOf(number);
    const v4 = {
      ipv4_address: users.v4,
      ipv4_cidr: '192.168.77.0/24',
      ipv4_gateway: '192.168.77.1',
      ipv4_host_routes: [],
    };
    const v6 = {
      ipv6_address: users.v6,
      ipv6_cidr: 'fd77:1::/64',
      ipv6_host_routes: [],
      ipv6_gateway: 'fd77:1::1',
    };
    return {
      mac_address: mac,
      ...(this.family === 'ipv6' ? {} : v4),
      ...(this.family === 'ipv4' ? {} : v6),
    };
  }

  /** Addresses of a VM in the user's network. */
  addressesOf(number: number): string[] {
    const { v4, v6 } = placeOf(number).users;
    return this.family === 'ipv4' ? [v4] : this.family === 'ipv6' ? [v6] : [v4, v6];
  }

  /**
   * Plugs a VM that is on into the user's network, and gives its management port what the family asks
   * for. To be done after every start.
   *
   * @param only takes the management port away: a VM that Trove has not made.
   */
  async plug(vm: LabVm, number: number, only: boolean): Promise<void> {
    const { mac, users, management } = placeOf(number);
    const port = `u${number}`;
    const { boot } = vm.record;
    if (!boot) throw new Error(`${vm.name} is off`);
    // The kernel takes the cable of an earlier boot away in its own time.
    await this.#hub.ip('link', 'delete', port).catch(() => undefined);
    const peer = ['peer', 'name', USERS, 'address', mac, 'netns', String(boot.init.pid)];
    await this.#hub.ip('link', 'add', port, 'mtu', String(this.#mtu), 'type', 'veth', ...peer);
    await this.#hub.ip('link', 'set', port, 'master', BRIDGE, 'up');
    const isolated = ['type', 'bridge_slave', 'isolated', 'on'];
    await this.#hub.ip('link', 'set', 'dev', vmPlace(number).port, ...isolated);
    const ip = async (...words: string[]): Promise<void> => {
      const { code, stderr } = await vm.exec('ip', words);
      if (code !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
    };
    const isV4 = this.family !== 'ipv6';
    const isV6 = this.family !== 'ipv4';
    for (const one of [MANAGEMENT, USERS]) {
      await vm.exec('sysctl', ['-qw', `net.ipv6.conf.${one}.disable_ipv6=${isV6 ? 0 : 1}`]);
    }
    await ip('link', 'set', USERS, 'mtu', String(this.#mtu), 'up');
    if (only) await ip('link', 'delete', MANAGEMENT);
    else {
      if (!isV4) await ip('-4', 'address', 'flush', 'dev', MANAGEMENT);
      if (isV6) {
        await ip('-6', 'address', 'add', `${management.v6}/64`, 'dev', MANAGEMENT, 'nodad');
        await ip('-6', 'route', 'add', 'default', 'via', HUB_V6, 'dev', MANAGEMENT);
      }
    }
    if (isV4) {
      await ip('address', 'add', `${users.v4}/24`, 'dev', USERS);
      await ip('route', 'add', 'default', 'via', '192.168.77.1', 'dev', USERS, 'metric', '200');
    }
    if (isV6) {
      const cost = ['metric', '2000'];
      await ip('-6', 'address', 'add', `${users.v6}/64`, 'dev', USERS, 'nodad');
      await ip('-6', 'route', 'add', 'default', 'via', 'fd77:1::1', 'dev', USERS, ...cost);
    }
  }

  async #inHub(command: string, ...args: string[]): Promise<void> {
    const words = [`--net=${this.#hub.namespace}`, '--', command, ...args];
    await promisify(execFile)('nsenter', words, { env: { PATH: SYSTEM_PATH } });
  }
}

function placeOf(number: number): Place {
  const host = number + 10;
  const last = host.toString(16).padStart(2, '0');
  return {
    mac: `fa:16:3e:77:01:${last}`,
    users: { v4: `192.168.77.${host}`, v6: `fd77:1::${host}` },
    management: { v4: HUB.address.replace(/1$/, String(host)), v6: `fd77::${host}` },
  };
}
