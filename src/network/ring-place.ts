import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';
import { isLoopbackAddress, isLoopbackName } from '../host/loopback.ts';
import type { NameOfAddress, ResolveName } from '../host/resolve-name.ts';
import type { UserPort } from '../trove/user-port.ts';
import { whyElsewhere, whyNotOurs } from './misplaced.ts';
import type { ReadPorts } from './ports.ts';
import { sourceAddressTo } from './source-address.ts';
import { chooseNetwork, WrongNetwork, type NetworkWish, type RingNetwork } from './ring-network.ts';

/** What this VM's place in its networks is found with. */
export interface RingPlaceOptions {
  /** `node` of agent.yaml. */
  node: { network: NetworkWish; name: string | null; source_address: string | null };
  userPort: UserPort | null;
  /** See NetworkFacts. */
  isolation: boolean | null;
  readPorts: ReadPorts;
  /** The name that this VM has when none is configured. */
  hostName: () => Promise<string>;
  resolve: ResolveName;
  nameOf: NameOfAddress;
  clock: Clock;
  log: Logger;
}

/** Where this VM's node is, for a person and for the plan. */
export interface PlaceView {
  network: RingNetwork | null;
  /** Why there is none, or why the name of this VM does not lead there; null when all is well. */
  problem: string | null;
  /** How long that has been so (ms). */
  problemMs: number;
}

/** `node.name` for the address of this VM instead of a name: a network without DNS. */
const BY_ADDRESS = 'address';
/** As long as RoleGate waits for a name (ms). */
const RESOLVE_LIMIT_MS = 5_000;
/** A registration that is still wanted is tried again sooner, also after the longest pause (ms). */
const NAME_PROBLEM_MS = 180_000;
/** How often the ports are read. */
const LOOK_MS = 5_000;

/** The network in which this VM's ring is, and the name that this VM has there. */
export class RingPlace {
  readonly #options: RingPlaceOptions;
  #network: RingNetwork | null = null;
  #portProblem: string | null = null;
  #nameProblem: string | null = null;
  #namedAt = 0;
  #since = 0;
  #lookedAt = -Infinity;

  constructor(options: RingPlaceOptions) {
    this.#options = options;
  }

  get view(): PlaceView {
    const now = this.#options.clock.monotonic();
    const isOld = now - this.#namedAt > NAME_PROBLEM_MS;
    const problem = this.#portProblem ?? (isOld ? null : this.#nameProblem);
    const problemMs = problem === null ? 0 : now - this.#since;
    return { network: this.#network, problem, problemMs };
  }

  /** Whether the whole ring is on this machine, each node at a loopback address of its own. */
  get isOnLoopback(): boolean {
    const { source_address: address } = this.#options.node;
    return address !== null && isLoopbackAddress(address);
  }

  /** Reads the ports, now and then; what is wrong is in `view`. */
  async look(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonic() - this.#lookedAt < LOOK_MS) return;
    await this.#choose().catch(() => undefined);
  }

  /**
   * The name under which this VM registers. Asked each time: the host name can be set later.
   *
   * @throws WrongNetwork when there is none that leads to this VM in the network of the ring.
   */
  async registeredName(): Promise<string> {
    const network = await this.#choose();
    this.#namedAt = this.#options.clock.monotonic();
    try {
      const name = await this.#name(network);
      this.#setProblems(null, null);
      return name;
    } catch (error) {
      this.#setProblems(null, messageOf(error));
      throw error;
    }
  }

  /**
   * The address to call K2HR3 from: where there are several, the one that K2HR3 knows this VM by, or
   * else that of the route, which must not change with every lease: a host that comes from another
   * address is another entry in the role. Undefined when there is nothing to choose.
   *
   * @param url of K2HR3's API.
   * @param kept the address that it was called from before.
   */
  async sourceAddress(url: string, kept: string | undefined): Promise<string | undefined> {
    const { node, readPorts, resolve } = this.#options;
    if (node.source_address !== null || !URL.canParse(url)) return undefined;
    const own = (await readPorts()).flatMap(({ addresses }) => addresses);
    const isKept = kept !== undefined && own.some(({ address }) => address === kept);
    if (!isKept && new Set(own.map(({ port }) => port)).size < 2) return undefined;
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    const targets = await this.#within(resolve(host), []);
    // A K2HR3 that has moved to the other family is not reached from this one.
    if (isKept && (targets.length === 0 || targets.some((one) => isIP(one) === isIP(kept))))
      return kept;
    for (const address of targets) {
      const source = await sourceAddressTo(address);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  /** Why a server of the role must not be in this ring; null when nothing is against it. */
  async whyMisplaced(
    name: string,
    addresses: readonly string[],
    isSelf: boolean,
  ): Promise<string | null> {
    if (this.#network === null || this.isOnLoopback) return null;
    const judge = isSelf ? whyNotOurs : whyElsewhere;
    return judge(name, addresses, this.#network) ?? (await this.#whyNamed(name));
  }

  /** Two names for one node are two nodes to chmpx (docs/contracts/chmpx.md, 3.5). */
  async #whyNamed(address: string): Promise<string | null> {
    if (isIP(address) === 0) return null;
    const known = await this.#within(this.#options.nameOf(address), null);
    if (known === null) return null;
    return `${address} has the name ${known} on this VM: a node with an address for its name must have no other, or chmpx calls it by that`;
  }

  async #choose(): Promise<RingNetwork> {
    const { node, userPort, isolation, readPorts, clock } = this.#options;
    this.#lookedAt = clock.monotonic();
    try {
      const ports = await readPorts();
      this.#network = chooseNetwork({ wish: node.network, ports, userPort, isolation });
      this.#setProblems(null, this.#nameProblem);
      return this.#network;
    } catch (error) {
      this.#network = null;
      this.#setProblems(messageOf(error), this.#nameProblem);
      throw error;
    }
  }

  async #name(network: RingNetwork): Promise<string> {
    const { node, hostName, resolve } = this.#options;
    const name = node.name === BY_ADDRESS ? ownAddress(network) : (node.name ?? (await hostName()));
    if (this.isOnLoopback) return name;
    if (isLoopbackName(name)) {
      throw new WrongNetwork(
        `this VM would register as ${name}, which is every VM's name for itself: ${
          node.name === null
            ? 'set the host name (hostnamectl set-hostname NAME), or node.name in agent.yaml'
            : 'set node.name in agent.yaml to a name that the others can resolve'
        }`,
      );
    }
    if (isIP(name) === 6) throw new WrongNetwork(noIpv6(name));
    const addresses = await this.#within(resolve(name), []);
    const why = whyNotOurs(name, addresses, network) ?? (await this.#whyNamed(name));
    if (why === null) return name;
    throw new WrongNetwork(
      `this VM would register as ${name}, but ${why}: correct DNS or /etc/hosts, set node.name in agent.yaml (the word address takes the address instead), or node.network`,
    );
  }

  /** `otherwise` when nobody can say: a DNS that is away is no reason against a name. */
  #within<T>(asked: Promise<T>, otherwise: T): Promise<T> {
    const { clock } = this.#options;
    const late = (): Error => new Error('too late');
    return withDeadline(clock, RESOLVE_LIMIT_MS, asked, late).catch(() => otherwise);
  }

  #setProblems(portProblem: string | null, nameProblem: string | null): void {
    const { clock, log } = this.#options;
    const before = this.view.problem;
    this.#portProblem = portProblem;
    this.#nameProblem = nameProblem;
    const { problem } = this.view;
    if (before === null) this.#since = clock.monotonic();
    if (problem !== null && problem !== before) log.warn({ problem }, 'the network of the ring');
    if (problem === null && before !== null) log.info('the network of the ring is right again');
  }
}

function ownAddress(network: RingNetwork): string {
  const found = network.addresses.filter(({ family }) => family === 4);
  const [only, second] = found;
  if (only === undefined) {
    const [sixth] = network.addresses;
    throw new WrongNetwork(
      sixth === undefined ? 'node.name is address, but this VM has none' : noIpv6(sixth.address),
    );
  }
  if (second === undefined) return only.address;
  throw new WrongNetwork(
    `node.name is address, and this VM has several (${found.map(({ address, port }) => `${address} on ${port}`).join(', ')}): set node.network in agent.yaml, or node.name to one of them`,
  );
}

/** SERVICEOUT takes NAME:CTLPORT:SEED apart at each colon (docs/contracts/chmpx.md, 3.5). */
function noIpv6(address: string): string {
  return `this VM would register as ${address}, and a server with an IPv6 address for its name could never leave the ring: set node.name in agent.yaml to a name that leads there (DNS, or /etc/hosts of all nodes)`;
}
