import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Alarm } from '../base/wait.ts';
import type { RunTool } from '../host/mount-volume.ts';
import type { UserPort } from '../trove/user-port.ts';
import type { RingNetwork } from './ring-network.ts';
import { parseRoutes, parseRules } from './ip-output.ts';
import {
  routingChanges,
  wantedRouting,
  type Route,
  type Routing,
  type RoutingChange,
} from './source-routes.ts';

/** What source routing is kept with. */
export interface RouteKeeperOptions {
  /** `node.source_routing` of agent.yaml. */
  isWanted: boolean;
  /** Where the ring is; null while nobody can say. */
  network: () => Promise<RingNetwork | null>;
  userPort: UserPort | null;
  /** At which the servers of the ring listen. */
  ringPorts: () => readonly number[];
  /** Runs ip(8) to read: anybody may. */
  read: RunTool;
  /** Runs ip(8) to change what is there: with CAP_NET_ADMIN, which the agent's unit has not. */
  change: RunTool;
  /** Whether the kernel forwards packets of this family between its ports. */
  forwards: (family: 4 | 6) => Promise<boolean>;
  clock: Clock;
  log: Logger;
}

/** networkd takes away rules and routes of others when it configures a port again (ms). */
const LOOK_MS = 10_000;

/**
 * Keeps the rules and routes by which a VM with two default routes answers through the port that was
 * asked. They are in the kernel, and so outlive the agent, as the programs do that need them; a reboot
 * ends both.
 */
export class RouteKeeper {
  readonly #options: RouteKeeperOptions;
  readonly #alarm = new Alarm();
  #problem: string | null = null;
  #hasCleaned = false;

  constructor(options: RouteKeeperOptions) {
    this.#options = options;
  }

  /** Why they could not be made; null when they are there, or not needed. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Looks after them until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.keep();
      await this.#alarm.wait(clock, LOOK_MS, signal);
    }
  }

  /** Makes what is missing, once; what goes wrong is in `problem`, and logged when it is another one. */
  async keep(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#keep();
      if (this.#problem !== null) log.info('the source routes are there again');
      this.#problem = null;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) log.warn({ problem }, 'the source routes cannot be kept');
      this.#problem = problem;
    }
  }

  async #keep(): Promise<void> {
    const network = await this.#options.network();
    if (network === null) return;
    if (this.#options.isWanted && network.others.length > 0) {
      this.#hasCleaned = false;
      await this.#make(network, true);
    } else if (!this.#hasCleaned) {
      // What an earlier agent made for another configuration. A VM without ip(8) has nothing of it.
      this.#hasCleaned = true;
      await this.#make(network, false).catch(() => undefined);
    }
    await this.#refuseForwarding(network);
  }

  async #make(network: RingNetwork, isNeeded: boolean): Promise<void> {
    const refused: string[] = [];
    for (const family of [4, 6] as const) {
      const { now, main } = await this.#read(family, network);
      const wanted = isNeeded ? this.#wanted(family, network, main) : { rules: [], routes: [] };
      const made: RoutingChange[] = [];
      for (const words of routingChanges(family, now, wanted)) {
        const problem = await this.#change(words);
        if (problem === null) made.push(words);
        else refused.push(problem);
      }
      if (made.length > 0) this.#options.log.info({ family, changes: made }, 'source routes');
    }
    // One route that the kernel does not take leaves the others of use.
    const [first, ...others] = refused;
    if (first === undefined) return;
    const more = others.length === 0 ? '' : ` (${others.length} more changes failed)`;
    throw new AgentError(`${first}${more}`);
  }

  /** A VM that forwards is a way from the user's network into the management network. */
  async #refuseForwarding(network: RingNetwork): Promise<void> {
    for (const family of [4, 6] as const) {
      const own = network.all.filter((one) => one.family === family);
      const ports = [...new Set(own.map(({ port }) => port))];
      if (ports.length < 2 || !(await this.#options.forwards(family))) continue;
      const key = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
      throw new AgentError(
        `this VM forwards packets between ${ports.join(' and ')}, and so lets the user's network into the other one: sysctl -w ${key}=0, and see who sets it (a Docker daemon does)`,
      );
    }
  }

  #wanted(family: 4 | 6, network: RingNetwork, main: Route[]): Routing {
    const { userPort, ringPorts } = this.#options;
    // A connection of the ring without an address gets the first one of its port.
    const addresses = [...new Set([...network.addresses, ...network.all])];
    const ringPort = network.addresses[0]?.port ?? '';
    return wantedRouting({ family, addresses, ringPort, ringPorts: ringPorts(), main, userPort });
  }

  async #read(family: 4 | 6, { all }: RingNetwork): Promise<{ now: Routing; main: Route[] }> {
    const none = { now: { rules: [], routes: [] }, main: [] };
    // A kernel without IPv6 has no rules of it.
    if (family === 6 && !all.some((one) => one.family === 6)) return none;
    const rules = await this.#ip(['-json', `-${family}`, 'rule', 'show']);
    const routes = await this.#ip(['-json', `-${family}`, 'route', 'show', 'table', 'all']);
    const { main, ours } = parseRoutes(routes);
    return { now: { rules: parseRules(rules), routes: ours }, main };
  }

  async #ip(words: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#options.read('ip', words);
    if (exitCode === 0) return stdout;
    throw new AgentError(`ip ${words.join(' ')}: ${stderr || `exit code ${exitCode}`}`);
  }

  /** Why it could not be made; null when it is. */
  async #change(words: RoutingChange): Promise<string | null> {
    const { exitCode, stderr } = await this.#options.change('ip', words);
    // Somebody else was faster: another look shows what is there.
    if (exitCode === 0 || /File exists|No such (?:file|process)/.test(stderr)) return null;
    return `ip ${words.join(' ')}: ${stderr || `exit code ${exitCode}`}`;
  }
}
