import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import { messageOf } from '../../../src/base/errors.ts';
import type { MergeMode } from '../../../src/ring/merge-mode.ts';
import { startBroker } from '../../peers/broker.ts';
import { Lab } from '../../peers/vm/lab.ts';
import { CLUSTER, ClusterStage } from '../../story/cluster-stage.ts';
import type { ClusterMember } from '../../story/cluster-member.ts';
import { LabMachines } from '../../story/machines/lab-machines.ts';
import type { RingClient } from './client.ts';
import { CHANGE_TIMEOUT_S, type DataRing } from './data-ring.ts';
import { Slave } from './slave.ts';

const SLAVE = { cuk: 'lab-slave', controlPort: 8031 };
const INI = '/etc/antpickax/k2hdkc.ini';

/** A ring that agents keep, as Trove has them made, grown and shrunk. */
export class AgentRing implements DataRing {
  readonly #stage: ClusterStage;
  readonly #slave: Slave;
  readonly #close: () => Promise<void>;
  readonly #directory: string;
  readonly #clients: { program: string | null; limitMs: number };
  #joiner: ClusterMember | null = null;
  #changing = '';
  #following = true;

  private constructor(parts: {
    stage: ClusterStage;
    slave: Slave;
    directory: string;
    clients: { program: string | null; limitMs: number };
    close: () => Promise<void>;
  }) {
    this.#stage = parts.stage;
    this.#slave = parts.slave;
    this.#directory = parts.directory;
    this.#clients = parts.clients;
    this.#close = parts.close;
  }

  static async open(
    directory: string,
    programs: string,
    options: {
      merge: MergeMode;
      replica: number;
      /** More of agent.yaml, for every server. */
      agentYaml?: string;
      clients: { program: string | null; limitMs: number };
    },
  ): Promise<AgentRing> {
    const broker = await startBroker(path.join(directory, 'broker'));
    const lab = await Lab.open(path.join(directory, 'lab'), { programs });
    const { merge, replica, clients } = options;
    const agentYaml = `cluster:\n  merge: ${merge}\n${options.agentYaml ?? ''}`;
    const stage = await ClusterStage.open(broker, new LabMachines(lab), directory, {
      agentYaml,
      replica,
    });
    const vm = await lab.addVm({ name: 'slave' });
    await vm.start();
    const { cuk } = SLAVE;
    stage.k2hr3.addHost(CLUSTER, { ip: vm.address, cuk, tag: vm.hostName }, 'slave');
    const close = async (): Promise<void> => {
      await lab.close();
      await stage.close();
      await broker.stop();
    };
    return new AgentRing({ stage, slave: new Slave(vm, SLAVE), directory, clients, close });
  }

  get tool(): DataRing['tool'] {
    return this.#slave.tool;
  }

  get agents(): DataRing['agents'] {
    return { directory: this.#directory, changing: this.#changing };
  }

  client(): Promise<RingClient> {
    return this.#slave.client(this.#clients.program, this.#clients.limitMs);
  }

  async form(servers: number): Promise<void> {
    await this.#stage.createInstances(servers);
    await this.#stage.settled(undefined, CHANGE_TIMEOUT_S);
    for (const node of this.#stage.nodes) await this.#stage.clusterComplete(node);
    await this.#follow();
    await this.#slave.start();
    void this.#keepFollowing();
    await sleep(systemClock, 2_000);
  }

  async grow(): Promise<void> {
    const [joiner] = await this.#stage.createInstances(1);
    if (!joiner) throw new Error('no joiner');
    this.#joiner = joiner;
    this.#changing = joiner.name;
    await this.#stage.settled(undefined, CHANGE_TIMEOUT_S);
    await this.#stage.clusterComplete(joiner);
  }

  async shrink(): Promise<void> {
    const leaver = this.#joiner;
    if (!leaver) throw new Error('nobody has joined');
    this.#changing = leaver.name;
    await this.#leave(leaver);
    await this.#stage.deleteServer(leaver);
    this.#joiner = null;
    await this.#stage.settled(undefined, CHANGE_TIMEOUT_S);
  }

  /** An operation that outlasts its call goes on: who asks again gets its end. */
  async #leave(leaver: ClusterMember): Promise<void> {
    const asked = await this.#stage.clusterComplete(leaver).then(() => '', messageOf);
    if (asked.includes('it goes on, ask again')) return this.#leave(leaver);
    if (asked !== '') throw new Error(asked);
  }

  async crash(): Promise<void> {
    const [, second] = this.#stage.nodes;
    await second?.kill('k2hdkc');
    await second?.kill('chmpx');
  }

  async rejoin(): Promise<void> {
    await this.#stage.settled(undefined, CHANGE_TIMEOUT_S);
  }

  async close(): Promise<void> {
    this.#following = false;
    await this.#close();
  }

  /** What upstream's slaves do from their own role: the ring of the first server will do. */
  async #follow(): Promise<void> {
    const [first] = this.#stage.nodes;
    if (first) this.#slave.follow(await readFile(first.machine.path(INI), 'utf8'));
  }

  async #keepFollowing(): Promise<void> {
    while (this.#following) {
      await this.#follow().catch(() => undefined);
      await sleep(systemClock, 500);
    }
  }
}
