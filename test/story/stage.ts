import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Broker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';
import { startTrove, type TrovePeer } from '../peers/trove/trove-peer.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import type { Programs } from './programs.ts';
import { Vm } from './vm.ts';

/** One instance of Trove and the VM it is on. */
export interface Actor {
  /** The Trove instance id. */
  id: string;
  /** What no log may hold: instance key, extdata URL, role token. */
  secrets: string[];
  cluster: string;
  vm: Vm;
  /** The configuration group, as Trove passes it. */
  overrides: Record<string, unknown>;
}

/** What an actor can be given beyond the defaults. */
export interface ActorOptions {
  agentYaml?: string;
  environment?: Record<string, string>;
  /** Changes the configuration group. */
  overrides?: Record<string, unknown>;
  /** The server port that the role in K2HR3 has, if not that of the configuration group. */
  rolePort?: number;
  /** The data file in the role, if not one in the VM's own folder. */
  k2hFile?: string;
}

/** A backup for prepare: its `backup_info`, and the token of the user who may read it. */
export interface BackupToRestore {
  info: Record<string, unknown>;
  token: string;
}

const CONTROL_EXCHANGE = 'trove';

/** The peers of a story, all started, and the VMs made so far. */
export class Stage {
  readonly broker: Broker;
  readonly vhost: string;
  readonly trove: TrovePeer;
  readonly k2hr3: K2hr3StandIn;
  readonly #directory: string;
  readonly #programs: Programs;
  /** By cluster, of which each has one. */
  readonly #vms = new Map<string, Vm>();

  private constructor(parts: {
    broker: Broker;
    vhost: string;
    trove: TrovePeer;
    k2hr3: K2hr3StandIn;
    directory: string;
    programs: Programs;
  }) {
    this.broker = parts.broker;
    this.vhost = parts.vhost;
    this.trove = parts.trove;
    this.k2hr3 = parts.k2hr3;
    this.#directory = parts.directory;
    this.#programs = parts.programs;
  }

  /** A vhost of the broker, a Trove and a K2HR3 of its own. `directory` is not removed. */
  static async open(broker: Broker, directory: string, programs: Programs): Promise<Stage> {
    const vhost = await broker.createVhost();
    const troveDirectory = path.join(directory, 'trove');
    await mkdir(troveDirectory, { recursive: true });
    const [trove, k2hr3] = await Promise.all([
      startTrove({
        directory: troveDirectory,
        transportUrl: broker.url(vhost),
        controlExchange: CONTROL_EXCHANGE,
      }),
      startK2hr3(),
    ]);
    return new Stage({ broker, vhost, trove, k2hr3, directory, programs });
  }

  /**
   * A Trove instance with its encryption key, a K2HR3 cluster of one, and a VM whose agent is not
   * started yet.
   */
  async actor(name: string, options: ActorOptions = {}): Promise<Actor> {
    const id = randomUUID();
    const key = randomBytes(16).toString('hex');
    const cluster = `${name}-${randomBytes(3).toString('hex')}`;
    const [serverPort, controlPort, slaveControlPort] = (await freePorts(3)) as [
      number,
      number,
      number,
    ];
    const directory = path.join(this.#directory, cluster);
    const { extdataUrl, roleToken } = this.k2hr3.addCluster({
      cluster,
      serverPort: options.rolePort ?? serverPort,
      serverControlPort: controlPort,
      slaveControlPort,
      k2hFile: options.k2hFile ?? path.join(directory, 'data/k2hdkc.k2h'),
    });
    await this.trove.addInstance({ id, name, key });
    const vm = await Vm.create({
      directory,
      guestInfoConf: guestInfoConf({ id, key }),
      troveGuestagentConf: troveGuestagentConf({
        transportUrl: this.broker.url(this.vhost),
        controlExchange: CONTROL_EXCHANGE,
        mountPoint: path.join(directory, 'data'),
      }),
      instanceId: randomUUID(),
      programs: this.#programs,
      environment: options.environment ?? {},
      ...(options.agentYaml === undefined ? {} : { agentYaml: options.agentYaml }),
    });
    this.#vms.set(cluster, vm);
    const overrides = {
      'cluster-name': cluster,
      'extdata-url': extdataUrl,
      'chmpx-server-port': serverPort,
      'chmpx-server-ctlport': controlPort,
      'chmpx-slave-ctlport': slaveControlPort,
      ...options.overrides,
    };
    return { id, secrets: [key, extdataUrl, roleToken], cluster, vm, overrides };
  }

  /** Sends `prepare` through Trove's own API, as its taskmanager does. */
  async prepare(
    actor: Actor,
    {
      clustered,
      backup,
      volume,
    }: {
      clustered: boolean;
      backup?: BackupToRestore;
      /** Default: none, and the data directory of the actor. */
      volume?: { device: string; mountPoint: string };
    },
  ): Promise<void> {
    await this.trove.api(
      actor.id,
      'prepare',
      {
        memory_mb: 512,
        packages: '',
        databases: null,
        users: null,
        device_path: volume?.device ?? null,
        mount_point: volume?.mountPoint ?? actor.vm.dataDirectory,
        config_contents: '[k2hdkc]\n',
        overrides: actor.overrides,
        cluster_config: clustered ? { id: actor.cluster, instance_type: 'member' } : null,
        backup_info: backup?.info ?? null,
      },
      { notification: true, ...(backup ? { authToken: backup.token } : {}) },
    );
  }

  /** Ends everything that was started here. */
  async close(): Promise<void> {
    for (const [cluster, vm] of this.#vms) {
      await vm.destroy();
      await this.#programs.cleanUp(cluster);
    }
    await this.trove.stop();
    await this.k2hr3.stop();
    await this.broker.deleteVhost(this.vhost);
  }
}
