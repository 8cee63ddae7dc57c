import type { StorageConfig } from '../backup/swift/storage-config.ts';
import { ConfigurationError, messageOf } from '../base/errors.ts';
import type { VolumeOptions } from '../host/mount-volume.ts';
import type { OsloConfig } from '../oslo/oslo-config.ts';
import { parseTransportUrl, type TransportUrl } from '../oslo/transport-url.ts';
import { readLogOptions, type LogOptions } from './log-options.ts';
import { optionalText } from './optional-text.ts';
import { readStorageOptions } from './storage-options.ts';
import { DEFAULT_CONDUCTOR_QUEUE } from './topics.ts';
import { readVolumeOptions } from './volume-options.ts';

/** What Trove's files in the VM say to the agent (docs/contracts/trove.md, 8.1). */
export interface GuestConfig {
  /** The instance that this VM is. */
  guestId: string;
  datastoreVersion: string | null;
  /** The project of the instance. */
  tenantId: string | null;
  /** `instance_rpc_encr_key`; null when Trove does not encrypt. */
  instanceKey: string | null;
  transport: TransportUrl;
  /** Routing key of the conductor. */
  conductorQueue: string;
  /** Where the data volume is mounted. */
  mountPoint: string;
  /** Block device of the data volume; null when the datastore has none. */
  devicePath: string | null;
  /** How the data volume is made and mounted. */
  volume: VolumeOptions;
  /** Whether oslo.messaging's own ping method is answered, beside Trove's `rpc_ping`. */
  rpcPingEnabled: boolean;
  /** `network_isolation`, as the files of this VM say it; null when none does. */
  networkIsolation: boolean | null;
  /** Where backups go. */
  storage: Omit<StorageConfig, 'ca'>;
  /** How guest logs are published. */
  logs: LogOptions;
  /** What no log line may hold. */
  secrets: string[];
}

const DATASTORE_MANAGER = 'k2hdkc';
/** The section of the datastore has its name. */
const DATASTORE_GROUP = DATASTORE_MANAGER;
/** It becomes part of queue names, which end at 255 bytes and hold it twice. */
const GUEST_ID = /^[A-Za-z0-9._-]{1,100}$/;

/**
 * Reads guest_info.conf and trove-guestagent.conf. Throws ConfigurationError, in one line, that
 * names the key and where it is set.
 */
export function readGuestConfig(config: OsloConfig): GuestConfig {
  const guestId = required(config, 'guest_id', 'guest_info.conf');
  if (!GUEST_ID.test(guestId)) {
    throw wrong(config, 'guest_id', `is ${JSON.stringify(guestId)}, which is not an instance id`);
  }
  const manager = required(config, 'datastore_manager', 'guest_info.conf');
  if (manager !== DATASTORE_MANAGER) {
    throw wrong(
      config,
      'datastore_manager',
      `is ${JSON.stringify(manager)}; this agent is for ${DATASTORE_MANAGER} only`,
    );
  }
  const transportUrl = required(config, 'transport_url', 'trove-guestagent.conf');
  const transport = readTransport(config, transportUrl);
  const instanceKey = optionalText(config, 'DEFAULT', 'instance_rpc_encr_key');
  const storage = readStorageOptions(config);
  return {
    guestId,
    datastoreVersion: optionalText(config, 'DEFAULT', 'datastore_version'),
    tenantId: optionalText(config, 'DEFAULT', 'tenant_id'),
    instanceKey,
    transport,
    conductorQueue: optionalText(config, 'DEFAULT', 'conductor_queue') ?? DEFAULT_CONDUCTOR_QUEUE,
    mountPoint: optionalText(config, DATASTORE_GROUP, 'mount_point') ?? '/var/lib/antpickax/k2hdkc',
    devicePath:
      config.string(DATASTORE_GROUP, 'device_path') === undefined
        ? '/dev/vdb'
        : optionalText(config, DATASTORE_GROUP, 'device_path'),
    volume: readVolumeOptions(config),
    rpcPingEnabled: config.boolean('DEFAULT', 'rpc_ping_enabled', false),
    networkIsolation: readIsolation(config),
    storage,
    logs: readLogOptions(config, DATASTORE_GROUP),
    secrets: [
      transportUrl,
      ...transport.brokers.map((broker) => broker.password),
      ...[instanceKey, storage.decryptionKey].filter((secret) => secret !== null),
    ],
  };
}

/** Trove writes it to guest_info.conf; one in trove-guestagent.conf is read later, and counts. */
function readIsolation(config: OsloConfig): boolean | null {
  if (optionalText(config, 'DEFAULT', 'network_isolation') === null) return null;
  return config.boolean('DEFAULT', 'network_isolation', false);
}

function required(config: OsloConfig, option: string, file: string): string {
  const value = optionalText(config, 'DEFAULT', option);
  if (value !== null) return value;
  if (config.where('DEFAULT', option) !== undefined) throw wrong(config, option, 'is empty');
  throw new ConfigurationError(
    `${option} is not set: Trove writes it to [DEFAULT] of ${file} in the configuration directory`,
  );
}

function readTransport(config: OsloConfig, url: string): TransportUrl {
  try {
    return parseTransportUrl(url);
  } catch (error) {
    const where = config.where('DEFAULT', 'transport_url') ?? 'transport_url';
    throw new ConfigurationError(`${where}: ${messageOf(error)}`, { cause: error });
  }
}

function wrong(config: OsloConfig, option: string, what: string): ConfigurationError {
  return new ConfigurationError(
    `${config.where('DEFAULT', option) ?? 'DEFAULT'}: ${option} ${what}`,
  );
}
