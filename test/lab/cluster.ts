import path from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { statusWords } from '../../src/ring/status.ts';
import { until } from '../helpers/until.ts';
import { startBroker } from '../peers/broker.ts';
import type { Lab } from '../peers/vm/lab.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { LabMachines } from '../story/machines/lab-machines.ts';
import type { Say } from './control.ts';

/** How long a node may take from its boot until Trove sees it healthy, in seconds. */
const HEALTHY_TIMEOUT_S = 120;

/** A K2HDKC cluster on the VMs of a lab, with the control plane at its hub. */
export class LabCluster {
  readonly #stage: ClusterStage;

  private constructor(stage: ClusterStage) {
    this.#stage = stage;
  }

  /** Starts the control plane. */
  static async open(lab: Lab, directory: string, say: Say): Promise<LabCluster> {
    const broker = await startBroker(path.join(directory, 'broker'));
    say(`RabbitMQ at ${lab.hub.address}:${broker.description.port}`);
    const stage = await ClusterStage.open(broker, new LabMachines(lab), directory);
    say(`Trove's conductor and client; K2HR3 at ${stage.k2hr3.url}`);
    return new LabCluster(stage);
  }

  /** Creates instances as Trove does: prepares them together, and completes them when healthy. */
  async addNodes(count: number, say: Say): Promise<void> {
    const start = systemClock.monotonic();
    const seconds = (): string => ((systemClock.monotonic() - start) / 1000).toFixed(1);
    const added = await this.#stage.createInstances(count, {
      startAgent: (node) => node.keepAgent(),
    });
    say(`${added.map(({ name }) => name).join(', ')} booted after ${seconds()} s`);
    const healthy = await Promise.all(
      added.map(async (node) => {
        const status = await this.#outcome(node);
        say(`${node.name} is ${status} after ${seconds()} s`);
        return status === 'healthy';
      }),
    );
    if (healthy.includes(false)) {
      throw new Error(`not all are healthy: see ${added[0]?.logFile ?? ''}`);
    }
    for (const node of added) await this.#stage.clusterComplete(node);
  }

  /** Off and on again. */
  async reboot(name: string): Promise<void> {
    await this.#node(name).reboot();
  }

  /** What chmpx and Trove's database say of a node. */
  async statusOf(name: string): Promise<string[]> {
    const node = this.#node(name);
    const { status } = await this.#stage.trove.serviceStatus(node.id);
    if (node.machine.boot === undefined) return ['off', status];
    const ring = await node.ring();
    return [ring ? statusWords(ring.self) : 'no chmpx', status];
  }

  #node(name: string): ClusterMember {
    const found = this.#stage.nodes.find((node) => node.name === name);
    if (!found) throw new Error(`there is no node "${name}"`);
    return found;
  }

  /** How the preparation of a node ends, by Trove's database; what it says at last when it does not. */
  async #outcome({ id }: ClusterMember): Promise<string> {
    const status = async (): Promise<string> => (await this.#stage.trove.serviceStatus(id)).status;
    const end = async (): Promise<string | undefined> => {
      const now = await status();
      return ['healthy', 'failed to spawn'].includes(now) ? now : undefined;
    };
    return until('an end', end, { seconds: HEALTHY_TIMEOUT_S, everyMs: 100 }).catch(status);
  }
}
