import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { applyUserData } from '../helpers/cloud-init.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import type { Broker } from '../peers/broker.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';
import { startTrove, type TrovePeer } from '../peers/trove/trove-peer.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { ClusterMember, type LogFormat } from './cluster-member.ts';
import type { ClusterPorts, Machines } from './machines/machine.ts';
import type { BackupToRestore } from './stage.ts';

/** The cluster's name, in Trove and in K2HR3. */
export const CLUSTER = 'labcluster';
const CONTROL_EXCHANGE = 'trove';
const DATA_DIRECTORY = '/var/lib/antpickax/k2hdkc';

/** What the example of a slave's user data runs: the unit's command is what a test starts. */
const START = 'systemctl enable --now k2hdkc-guest-agent.service';

/** A cluster: machines, and the peers that they reach at the hub's address. */
export class ClusterStage {
  readonly trove: TrovePeer;
  readonly k2hr3: K2hr3StandIn;
  readonly machines: Machines;
  readonly nodes: ClusterMember[] = [];
  readonly #directory: string;
  readonly #transportUrl: string;
  readonly #slaveUrl: string;
  readonly #overrides: Record<string, unknown>;
  readonly #agentYaml: string | undefined;
  readonly #logFormat: LogFormat;

  private constructor(parts: {
    trove: TrovePeer;
    k2hr3: K2hr3StandIn;
    machines: Machines;
    directory: string;
    transportUrl: string;
    extdataUrl: string;
    slaveUrl: string;
    agentYaml: string | undefined;
    logFormat: LogFormat;
    ports: ClusterPorts;
  }) {
    this.trove = parts.trove;
    this.k2hr3 = parts.k2hr3;
    this.machines = parts.machines;
    this.#directory = parts.directory;
    this.#transportUrl = parts.transportUrl;
    this.#slaveUrl = parts.slaveUrl;
    this.#agentYaml = parts.agentYaml;
    this.#logFormat = parts.logFormat;
    this.#overrides = {
      'cluster-name': CLUSTER,
      'extdata-url': parts.extdataUrl,
      'chmpx-server-port': parts.ports.server,
      'chmpx-server-ctlport': parts.ports.control,
      'chmpx-slave-ctlport': parts.ports.slaveControl,
    };
  }

  /**
   * Starts Trove and K2HR3; `machines` and `broker` stay the caller's to close.
   *
   * @param options.agentYaml of every node; default none.
   * @param options.replica REPLICA of the ring.
   * @param options.logFormat of the agents; default text.
   */
  static async open(
    broker: Broker,
    machines: Machines,
    directory: string,
    {
      agentYaml,
      replica,
      logFormat = 'text',
    }: { agentYaml?: string; replica?: number; logFormat?: LogFormat } = {},
  ): Promise<ClusterStage> {
    const vhost = await broker.createVhost();
    const [trove, k2hr3] = await Promise.all([
      startTrove({
        directory: path.join(directory, 'trove'),
        transportUrl: broker.url(vhost),
        controlExchange: CONTROL_EXCHANGE,
      }),
      startK2hr3(),
    ]);
    await machines.connect(k2hr3, broker.description.port);
    const ports = await machines.ports();
    const { extdataUrl, slave } = k2hr3.addCluster({
      cluster: CLUSTER,
      serverPort: ports.server,
      serverControlPort: ports.control,
      slaveControlPort: ports.slaveControl,
      ...(replica === undefined ? {} : { replica }),
    });
    const transportUrl = broker.url(vhost).replace('127.0.0.1', machines.hub);
    return new ClusterStage({
      ...{
        trove,
        k2hr3,
        machines,
        directory,
        transportUrl,
        extdataUrl,
        agentYaml,
        logFormat,
        ports,
      },
      slaveUrl: slave.userdataUrl,
    });
  }

  /**
   * Creates instances as Trove's taskmanager does: server, agent, prepare with a cluster_config.
   *
   * @param how.startAgent starts the agents in another way.
   * @param how.backup is what they are made from.
   */
  async createInstances(
    count: number,
    how: {
      startAgent?: (node: ClusterMember) => Promise<void> | void;
      backup?: BackupToRestore;
    } = {},
  ): Promise<ClusterMember[]> {
    const { startAgent = (node: ClusterMember) => node.startAgent(), backup } = how;
    const made: ClusterMember[] = [];
    // One after the other, so that each is told of all others; they are prepared together.
    for (let n = 0; n < count; n++) made.push(await this.#createServer());
    for (const node of made) await startAgent(node);
    await Promise.all(made.map((node) => this.#prepare(node, backup)));
    return made;
  }

  async #createServer(): Promise<ClusterMember> {
    const id = randomUUID();
    const key = randomBytes(16).toString('hex');
    await this.trove.addInstance({ id, name: 'node', key });
    const machine = await this.machines.add(id);
    const files = {
      guestInfoConf: guestInfoConf({ id, key }),
      troveGuestagentConf: troveGuestagentConf({
        transportUrl: this.#transportUrl,
        controlExchange: CONTROL_EXCHANGE,
        mountPoint: machine.inside(DATA_DIRECTORY),
      }),
      ...(this.#agentYaml === undefined ? {} : { agentYaml: this.#agentYaml }),
    };
    const logFile = path.join(this.#directory, `${machine.name}.log`);
    const node = await ClusterMember.create(id, machine, files, logFile, this.#logFormat);
    this.nodes.push(node);
    return node;
  }

  /**
   * Starts a slave as a person does who gives `config/slave-user-data.yaml` to a new VM, with the
   * user data URL of the slave role in it.
   */
  async createSlave(): Promise<ClusterMember> {
    const machine = await this.machines.add(randomUUID());
    const logFile = path.join(this.#directory, `${machine.name}.log`);
    const slave = await ClusterMember.create(randomUUID(), machine, null, logFile, this.#logFormat);
    const example = await readFile(path.join(projectRoot, 'config/slave-user-data.yaml'), 'utf8');
    const userData = example.replace(/https:.*REGISTER_PATH/, this.#slaveUrl);
    const file = machine.path('/etc/k2hdkc-guest-agent/agent.yaml');
    const base = await readFile(file, 'utf8').catch(() => this.#agentYaml ?? '');
    const commands = await applyUserData(userData, (one) => machine.path(one));
    if (base !== '') await addSections(file, base);
    if (commands.map((words) => words.join(' ')).join() !== START) {
      throw new Error(`nobody plays these commands here: ${JSON.stringify(commands)}`);
    }
    await slave.startAgent();
    return slave;
  }

  async #prepare(node: ClusterMember, backup?: BackupToRestore): Promise<void> {
    const args = {
      memory_mb: 512,
      packages: '',
      databases: null,
      users: null,
      device_path: null,
      mount_point: node.machine.inside(DATA_DIRECTORY),
      config_contents: '[k2hdkc]\n',
      overrides: this.#overrides,
      cluster_config: { id: CLUSTER, instance_type: 'member' },
      backup_info: backup?.info ?? null,
    };
    await this.trove.api(node.id, 'prepare', args, backup ? { authToken: backup.token } : {});
  }

  clusterComplete(node: ClusterMember): Promise<unknown> {
    return this.trove.rpc(node.id, 'cluster_complete', {}, { timeout: 180 });
  }

  attach(node: ClusterMember): Promise<unknown> {
    return this.trove.api(node.id, 'update_overrides', {
      overrides: this.#overrides,
      remove: false,
    });
  }

  detach(node: ClusterMember): Promise<unknown> {
    return this.trove.api(node.id, 'update_overrides', { overrides: {}, remove: true });
  }

  /** The server is deleted: what it leaves in K2HR3, K2HR3's own listener takes away. */
  async deleteServer(node: ClusterMember): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await this.machines.remove(node.machine);
    this.k2hr3.removeHost(CLUSTER, node.id);
  }

  hosts(part: 'server' | 'slave' = 'server'): number {
    return this.k2hr3.hosts(CLUSTER, part).length;
  }

  /** Waits until each of these nodes sees exactly them, all serving, and Trove calls them healthy. */
  async settled(nodes = this.nodes, seconds = 120): Promise<void> {
    await until(
      `${nodes.map(({ name }) => name).join(', ')} serve and see each other`,
      async () => {
        const seen = await Promise.all(nodes.map((node) => node.seesServing(nodes.length)));
        return seen.every(Boolean);
      },
      { seconds, everyMs: 200 },
    );
    for (const { id } of nodes) await this.trove.waitForStatus(id, 'healthy');
  }

  async close(): Promise<void> {
    await this.trove.stop();
    await this.k2hr3.stop();
  }
}

/** Adds to agent.yaml what makes this machine one: its own paths and addresses. */
async function addSections(file: string, base: string): Promise<void> {
  const own = parse(base) as Record<string, unknown>;
  delete own['ini']; // of a k2hdkc, which a slave does not run
  const given = parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, stringify({ ...own, ...given }));
}
