import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import { projectRoot } from '../../helpers/project-root.ts';
import { DEFAULT_TENANT } from './guest-files.ts';
import { PythonProcess } from './python-process.ts';

export { TrovePeerError } from './python-process.ts';

/** Where the package trove_peer is, also when this file is part of a bundle in dist/. */
const PYTHON_PATH = path.join(projectRoot, 'test/peers/trove');

/** Where a Trove runs and whom it talks to. */
export interface TroveOptions {
  /** Gets the database, the configuration and the logs; made if it is not there. */
  directory: string;
  /** A vhost of its own: `broker.url(vhost)`. */
  transportUrl: string;
  controlExchange: string;
  /**
   * Whether to listen in on what is published to the conductor, for `published`. Default true. The
   * queue that does this makes such a message routable even when the conductor's own is gone.
   */
  tap?: boolean;
}

/** An instance of Trove. */
export interface InstanceOptions {
  id: string;
  name: string;
  /** 32 characters; null for an instance whose messages are not encrypted. */
  key: string | null;
  clusterId?: string;
  tenantId?: string;
}

/** How a method of Trove's guest API is called. */
export interface ApiOptions {
  /** Seconds for all three of Trove's timeouts. Default those of Trove: 15, 180 and 1800. */
  timeout?: number;
  /** Whether prepare and create_backup carry a notification, as they always do. Default true. */
  notification?: boolean;
  /** Trove's option [upgrade_levels] guestagent, such as `ussuri`. Default: not set. */
  upgradeLevel?: string;
  /** The user's token, in the context. Default one that nobody knows. */
  authToken?: string;
  /** Whether the user is an administrator. Default false. */
  isAdmin?: boolean;
}

/** How a raw RPC is sent. */
export interface RpcOptions {
  /** Default 1.0. */
  version?: string;
  /** Seconds. Default 60. */
  timeout?: number;
  /** Sends it without waiting for an answer. Default false. */
  cast?: boolean;
}

/** A row of service_statuses. */
export interface ServiceStatus {
  /** The description, such as `healthy` (docs/contracts/trove.md, 5.5). */
  status: string;
  /** ISO 8601, UTC. */
  updatedAt: string | null;
}

/** A row of instance_faults, which is what users see. */
export interface InstanceFault {
  message: string;
  details: string;
  /** ISO 8601, UTC. */
  updatedAt: string | null;
}

/** A row of backups. */
export interface BackupRow {
  state: string;
  /** GiB. */
  size: number | null;
  checksum: string | null;
  location: string | null;
  backupType: string;
}

/** A message for the conductor as it was published, decrypted with Trove's own code. */
export interface PublishedMessage {
  /** Seconds since the epoch. */
  at: number;
  method: string;
  args: Record<string, unknown>;
  encrypted: boolean;
  instanceId: string | null;
  context: Record<string, unknown>;
  /** Set, with nothing else but `at`, when Trove's code cannot read the message. */
  undecodable?: string;
}

/** A notify_end (`end`) or notify_exc_info (`error`) that the conductor accepted. */
export interface AcceptedNotification {
  /** Seconds since the epoch. */
  at: number;
  /** Such as `instance_create`. */
  type: string;
  qualifier: string;
  payload: Record<string, unknown>;
}

/**
 * Starts a real conductor and real callers on a database of their own; about 3 s. Both are there
 * when this resolves: whatever is published to the conductor from now on is received.
 */
export async function startTrove(options: TroveOptions): Promise<TrovePeer> {
  const { directory } = options;
  await mkdir(directory, { recursive: true });
  const configFile = path.join(directory, 'trove.conf');
  await writeFile(configFile, troveConf(options), { mode: 0o600 });
  const start = (name: string): Promise<PythonProcess> => {
    const logFile = path.join(directory, `${name}.log`);
    const args = ['--config-file', configFile, '--log-file', logFile];
    const module = `trove_peer.${name}`;
    return PythonProcess.start({ module, args, path: PYTHON_PATH, directory, logFile });
  };
  const conductor = await start('conductor');
  const client = await start('client');
  const peer = new TrovePeer(conductor, client);
  try {
    await client.event('database');
    conductor.write('the database is there');
    await Promise.all([conductor.event('ready'), client.event('ready')]);
    if (options.tap ?? true) await client.request('start_tap', {});
  } catch (error) {
    await peer.stop().catch(() => undefined); // it is the same that has ended
    throw error;
  }
  return peer;
}

/** The real Trove code: one conductor, and one process for all calls to guests. */
export class TrovePeer {
  readonly #conductor: PythonProcess;
  readonly #client: PythonProcess;

  constructor(conductor: PythonProcess, client: PythonProcess) {
    this.#conductor = conductor;
    this.#client = client;
  }

  /** The PIDs of conductor and client. */
  get pids(): number[] {
    return [this.#conductor.identity.pid, this.#client.identity.pid];
  }

  /** Makes an instance with its encrypted key and the service status `new`. */
  async addInstance({ id, name, key, clusterId, tenantId }: InstanceOptions): Promise<void> {
    const row = { id, name, key, cluster_id: clusterId ?? null };
    await this.#client.request('add_instance', { ...row, tenant_id: tenantId ?? DEFAULT_TENANT });
  }

  /**
   * Calls a method of trove.guestagent.api.API. Rejects with a TrovePeerError, as a rule of class
   * GuestError, which is what that API makes of everything.
   */
  api(
    id: string,
    method: string,
    kwargs: Record<string, unknown> = {},
    { timeout, notification = true, upgradeLevel, authToken, isAdmin = false }: ApiOptions = {},
  ): Promise<unknown> {
    const options = {
      timeout: timeout ?? null,
      with_notification: notification,
      upgrade_level: upgradeLevel ?? null,
      auth_token: authToken ?? null,
      is_admin: isAdmin,
    };
    return this.#client.request('api', { id, method, kwargs, ...options });
  }

  /** Calls or casts any method with oslo's own client; errors are those that oslo raises. */
  rpc(
    id: string,
    method: string,
    kwargs: Record<string, unknown> = {},
    { version = '1.0', timeout = 60, cast = false }: RpcOptions = {},
  ): Promise<unknown> {
    return this.#client.request('rpc', { id, method, kwargs, version, timeout, cast });
  }

  async serviceStatus(id: string): Promise<ServiceStatus> {
    return (await this.#client.request('service_status', { id })) as ServiceStatus;
  }

  /** Makes the row of a backup that Trove's API has just accepted: its state is NEW. */
  async addBackup(id: string, instanceId: string): Promise<void> {
    await this.#client.request('add_backup', { id, instance_id: instanceId });
  }

  async backup(id: string): Promise<BackupRow> {
    return (await this.#client.request('backup', { id })) as BackupRow;
  }

  async instanceFaults(id: string): Promise<InstanceFault[]> {
    return (await this.#client.request('instance_faults', { id })) as InstanceFault[];
  }

  /** Writes a fault as the taskmanager does: not over one that is younger than 6 s. */
  async writeFault(id: string, message: string): Promise<void> {
    await this.#client.request('write_fault', { id, message });
  }

  /** What was published for the conductor, oldest first; of one instance if it is named. */
  async published(id?: string): Promise<PublishedMessage[]> {
    const messages = (await this.#client.request('published', {})) as PublishedMessage[];
    return messages.filter((message) => id === undefined || message.instanceId === id);
  }

  /** The statuses of an instance in the order of publishing, repetitions left out. */
  async statusHistory(id: string): Promise<string[]> {
    const statuses = (await this.published(id))
      .filter(({ method }) => method === 'heartbeat')
      .map(({ args }) => (args['payload'] as { service_status: string }).service_status);
    return statuses.filter((status, index) => status !== statuses[index - 1]);
  }

  /** The notifications of an instance that the conductor accepted, oldest first. */
  notifications(id: string): AcceptedNotification[] {
    return this.#conductor.events
      .filter(({ event }) => event === 'notification')
      .map((event) => event as unknown as AcceptedNotification)
      .filter(({ payload }) => payload['instance_id'] === id);
  }

  /** Resolves when Trove's database says so; rejects after `timeoutMs` with what it says instead. */
  async waitForStatus(id: string, status: string, timeoutMs = 90_000): Promise<ServiceStatus> {
    const deadline = systemClock.monotonic() + timeoutMs;
    for (;;) {
      const now = await this.serviceStatus(id);
      if (now.status === status) return now;
      if (systemClock.monotonic() > deadline) {
        const seen = (await this.statusHistory(id)).join(', ') || 'nothing';
        throw new Error(
          `${id} is ${now.status}, not ${status}, after ${timeoutMs} ms; published: ${seen}`,
        );
      }
      await sleep(systemClock, 50);
    }
  }

  /** Ends all processes. The directory stays. Rejects when one had ended by itself. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled([this.#conductor.stop(), this.#client.stop()]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

function troveConf({ directory, transportUrl, controlExchange }: TroveOptions): string {
  return `[DEFAULT]
transport_url = ${transportUrl}
control_exchange = ${controlExchange}
host = 127.0.0.1
# The conductor's periodic tasks, of which there are none.
report_interval = 0
[database]
connection = sqlite:///${path.join(directory, 'trove.sqlite')}
[profiler]
enabled = false
`;
}
