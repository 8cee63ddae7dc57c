import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { until } from '../helpers/until.ts';
import type { Broker } from '../peers/broker.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';
import { startTrove, type TrovePeer } from '../peers/trove/trove-peer.ts';
import type { Lab } from '../peers/vm/lab.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { LabNode } from './lab-node.ts';

const CLUSTER = 'labcluster';
const CONTROL_EXCHANGE = 'trove';
/** What upstream's dashboard proposes. */
const PORTS = { server: 8020, control: 8021, slaveControl: 8031 };

/** A cluster in a lab: simulated VMs, and the peers that they reach at the hub's address. */
export class ClusterStage {
  readonly trove: TrovePeer;
  readonly k2hr3: K2hr3StandIn;
  readonly lab: Lab;
  readonly nodes: LabNode[] = [];
  readonly #directory: string;
  readonly #transportUrl: string;
  readonly #overrides: Record<string, unknown>;

  private constructor(parts: {
    trove: TrovePeer;
    k2hr3: K2hr3StandIn;
    lab: Lab;
    directory: string;
    transportUrl: string;
    extdataUrl: string;
  }) {
    this.trove = parts.trove;
    this.k2hr3 = parts.k2hr3;
    this.lab = parts.lab;
    this.#directory = parts.directory;
    this.#transportUrl = parts.transportUrl;
    this.#overrides = {
      'cluster-name': CLUSTER,
      'extdata-url': parts.extdataUrl,
      'chmpx-server-port': PORTS.server,
      'chmpx-server-ctlport': PORTS.control,
      'chmpx-slave-ctlport': PORTS.slaveControl,
    };
  }

  /** Starts Trove and K2HR3; `lab` and `broker` stay the caller's to close. */
  static async open(broker: Broker, lab: Lab, directory: string): Promise<ClusterStage> {
    const vhost = await broker.createVhost();
    const [trove, k2hr3] = await Promise.all([
      startTrove({
        directory: path.join(directory, 'trove'),
        transportUrl: broker.url(vhost),
        controlExchange: CONTROL_EXCHANGE,
      }),
      startK2hr3(),
    ]);
    // K2HR3 registers the address that it sees: the VMs' own must arrive at it.
    const door = await lab.hub.listen((socket) => k2hr3.accept(socket));
    k2hr3.advertise(`http://${lab.hub.address}:${door.port}`);
    await lab.hub.relay(broker.description.port);
    const { extdataUrl } = k2hr3.addCluster({
      cluster: CLUSTER,
      serverPort: PORTS.server,
      serverControlPort: PORTS.control,
      slaveControlPort: PORTS.slaveControl,
    });
    const transportUrl = broker.url(vhost).replace('127.0.0.1', lab.hub.address);
    return new ClusterStage({ trove, k2hr3, lab, directory, transportUrl, extdataUrl });
  }

  /**
   * Creates instances as Trove's taskmanager does: VM, agent, prepare with a cluster_config.
   * `startAgent` can start the agents in another way.
   */
  async createInstances(
    count: number,
    startAgent: (node: LabNode) => Promise<void> | void = (node) => node.startAgent(),
  ): Promise<LabNode[]> {
    const made: LabNode[] = [];
    // One after the other, so that each is told of all others; they are prepared together.
    for (let n = 0; n < count; n++) made.push(await this.#createVm());
    for (const node of made) await startAgent(node);
    await Promise.all(made.map((node) => this.#prepare(node)));
    return made;
  }

  async #createVm(): Promise<LabNode> {
    const id = randomUUID();
    const key = randomBytes(16).toString('hex');
    await this.trove.addInstance({ id, name: 'node', key });
    const vm = await this.lab.addVm({ instanceId: id });
    const files = {
      guestInfoConf: guestInfoConf({ id, key }),
      troveGuestagentConf: troveGuestagentConf({
        transportUrl: this.#transportUrl,
        controlExchange: CONTROL_EXCHANGE,
      }),
    };
    const logFile = path.join(this.#directory, `${vm.name}.log`);
    const node = await LabNode.create(id, vm, files, logFile);
    this.nodes.push(node);
    return node;
  }

  async #prepare(node: LabNode): Promise<void> {
    await this.trove.api(node.id, 'prepare', {
      memory_mb: 512,
      packages: '',
      databases: null,
      users: null,
      device_path: null,
      mount_point: '/var/lib/antpickax/k2hdkc',
      config_contents: '[k2hdkc]\n',
      overrides: this.#overrides,
      cluster_config: { id: CLUSTER, instance_type: 'member' },
    });
  }

  clusterComplete(node: LabNode): Promise<unknown> {
    return this.trove.rpc(node.id, 'cluster_complete', {}, { timeout: 180 });
  }

  attach(node: LabNode): Promise<unknown> {
    return this.trove.api(node.id, 'update_overrides', {
      overrides: this.#overrides,
      remove: false,
    });
  }

  detach(node: LabNode): Promise<unknown> {
    return this.trove.api(node.id, 'update_overrides', { overrides: {}, remove: true });
  }

  /** The server is deleted: what it leaves in K2HR3, K2HR3's own listener takes away. */
  async deleteServer(node: LabNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await this.lab.removeVm(node.vm);
    this.k2hr3.removeHost(CLUSTER, node.id);
  }

  hosts(): number {
    return this.k2hr3.hosts(CLUSTER).length;
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
    for (const { id } of nodes) await this.trove.waitForStatus(id, 'healthy', 10_000);
  }

  async close(): Promise<void> {
    await this.trove.stop();
    await this.k2hr3.stop();
  }
}
