import { AgentError } from '../base/errors.ts';
import type { UserPort } from '../trove/user-port.ts';
import { cidrHolds, cidrsOverlap } from './cidr.ts';
import type { OwnAddress, Port } from './ports.ts';

/** `node.network` of agent.yaml: a word, or a network as ADDRESS/LENGTH. */
export type NetworkWish = string;

/** The network in which the ring is, as this VM has it. */
export interface RingNetwork {
  /**
   * `only`: nobody said that there are several, and nothing is checked. Otherwise who names it: Trove's
   * description of the user's port, its opposite, or the configuration.
   */
  kind: 'only' | 'user' | 'management' | 'cidr';
  /** For a person: why this one. */
  why: string;
  /** Own addresses in it, IPv4 first. */
  addresses: readonly OwnAddress[];
  /** Its networks, as ADDRESS/LENGTH. */
  subnets: readonly string[];
  /** Own addresses at other ports. */
  others: readonly OwnAddress[];
  /** All own addresses; the ring's port can have more than those in the ring's network. */
  all: readonly OwnAddress[];
}

/**
 * The network of the ring is not there, or the choice of it cannot work. Whoever waits for the node is
 * told; a port can still come up, so another try can succeed.
 */
export class WrongNetwork extends AgentError {
  constructor(message: string) {
    super(message, { retryable: true });
  }
}

/** What the choice is made from. */
export interface NetworkFacts {
  wish: NetworkWish;
  ports: readonly Port[];
  /** As Trove describes it; null when it does not. */
  userPort: UserPort | null;
  /** `network_isolation` in Trove's files; null when it is not there. */
  isolation: boolean | null;
}

/**
 * Which of its networks this VM's ring is in. With `auto` it is the user's, where Trove describes one:
 * slaves, applications and the other servers are there.
 *
 * @throws WrongNetwork with what is wrong, and what to do.
 */
export function chooseNetwork(facts: NetworkFacts): RingNetwork {
  const { wish, userPort } = facts;
  if (wish === 'auto' && userPort === null) return onlyNetwork(facts);
  const network =
    wish === 'auto' || wish === 'user'
      ? userNetwork(facts)
      : wish === 'management'
        ? managementNetwork(facts)
        : networkOf(facts, wish);
  refuseOverlap(network);
  return network;
}

function onlyNetwork({ ports }: NetworkFacts): RingNetwork {
  const addresses = ports.flatMap((port) => port.addresses);
  const several = new Set(addresses.map(({ port }) => port)).size > 1;
  const why = several
    ? "Trove describes no port in the user's network, and node.network names none: names and routes decide"
    : 'this VM has no other';
  return { kind: 'only', why, addresses, subnets: [], others: [], all: addresses };
}

function userNetwork(facts: NetworkFacts): RingNetwork {
  const { userPort, ports, wish, isolation } = facts;
  if (userPort === null) {
    throw new WrongNetwork(
      `node.network is user, but Trove describes no port in the user's network (there is no paths.user_port_file; network_isolation is ${isolation === null ? 'not set' : String(isolation)} here): it does so for an instance with two ports, if its own network_isolation is on; set node.network to auto, or to the network as ADDRESS/LENGTH`,
    );
  }
  const port = findPort(ports, userPort.mac);
  if (port === undefined) {
    throw new WrongNetwork(
      `no port of this VM has the MAC address ${userPort.mac}, which Trove gave to the user's port: ${listOf(ports)}`,
    );
  }
  if (!port.isUp) {
    throw new WrongNetwork(
      `${port.name}, the port in the user's network, is down: ip link set ${port.name} up, and see who takes it down (Trove's own agent does, and so do images that are made for it)`,
    );
  }
  const given = userPort.addresses.map(({ address }) => address);
  const addresses = port.addresses.filter(({ address }) => given.includes(address));
  if (addresses.length === 0) {
    throw new WrongNetwork(
      `${port.name}, the port in the user's network, has not the address that Trove gave it (${given.join(', ')}) but ${namesOf(port.addresses)}: see why the system of this VM does not configure it`,
    );
  }
  const why = wish === 'user' ? 'node.network is user' : 'Trove describes its port for this VM';
  return {
    kind: 'user',
    why,
    addresses,
    subnets: userPort.addresses
      .filter(({ address }) => addresses.some((own) => own.address === address))
      .map(({ cidr }) => cidr),
    ...otherAddresses(ports, addresses),
  };
}

function managementNetwork({ ports, userPort }: NetworkFacts): RingNetwork {
  const users = userPort && findPort(ports, userPort.mac);
  const rest = ports.filter((port) => port !== users && port.isUp && port.addresses.length > 0);
  const [port, second] = rest;
  if (port === undefined) {
    throw new WrongNetwork(
      `node.network is management, but this VM has no port with an address beside the user's: ${listOf(ports)}`,
    );
  }
  if (second !== undefined) {
    throw new WrongNetwork(
      `node.network is management, but ${userPort === null ? "Trove does not say which port is the user's" : "several ports are not the user's"} (${listOf(rest)}): set it to the network as ADDRESS/LENGTH`,
    );
  }
  return {
    kind: 'management',
    why: 'node.network is management',
    addresses: port.addresses,
    subnets: port.addresses.map(({ cidr }) => cidr),
    ...otherAddresses(ports, port.addresses),
  };
}

function networkOf({ ports }: NetworkFacts, wish: string): RingNetwork {
  const all = ports.flatMap((port) => (port.isUp ? port.addresses : []));
  const addresses = all.filter(({ address }) => cidrHolds(wish, address));
  if (addresses.length === 0) {
    throw new WrongNetwork(
      `node.network is ${wish}, but no address of this VM is in it: ${namesOf(all)}`,
    );
  }
  if (new Set(addresses.map(({ port }) => port)).size > 1) {
    throw new WrongNetwork(
      `node.network is ${wish}, and that holds addresses of several ports (${namesOf(addresses)}): give the network of one`,
    );
  }
  return {
    kind: 'cidr',
    why: `node.network is ${wish}`,
    addresses,
    subnets: [wish],
    ...otherAddresses(ports, addresses),
  };
}

/** Of two networks with the same addresses only one can be reached, whichever the kernel takes. */
function refuseOverlap({ addresses, others }: RingNetwork): void {
  for (const own of addresses) {
    const twin = others.find(({ cidr, port }) => port !== own.port && cidrsOverlap(cidr, own.cidr));
    if (twin === undefined) continue;
    throw new WrongNetwork(
      `the networks of ${own.port} (${own.cidr}) and of ${twin.port} (${twin.cidr}) have addresses in common, so a peer at one of them is reached through either: create the instance in a network with other addresses`,
    );
  }
}

function findPort(ports: readonly Port[], mac: string): Port | undefined {
  const found = ports.filter((port) => port.mac === mac);
  // A VLAN has the MAC address of the port below it.
  return found.find((port) => port.addresses.length > 0) ?? found[0];
}

function otherAddresses(
  ports: readonly Port[],
  chosen: readonly OwnAddress[],
): Pick<RingNetwork, 'others' | 'all'> {
  const own = new Set(chosen.map(({ port }) => port));
  const all = ports.flatMap(({ addresses }) => addresses);
  return { all, others: all.filter(({ port }) => !own.has(port)) };
}

/** `eth0 (fa:16:3e:00:00:01, 10.0.0.5)`, for each; for a person. */
function listOf(ports: readonly Port[]): string {
  const words = ports.map(
    ({ name, mac, addresses }) =>
      `${name} (${[mac, ...addresses.map(({ address }) => address)].join(', ')})`,
  );
  return words.length === 0 ? 'it has none' : `it has ${words.join(', ')}`;
}

function namesOf(addresses: readonly OwnAddress[]): string {
  const words = addresses.map(({ address, port }) => `${address} on ${port}`);
  return words.length === 0 ? 'none' : words.join(', ');
}
