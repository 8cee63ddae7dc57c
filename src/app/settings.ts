import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readTls } from '../amqp/tls.ts';
import { ConfigurationError, messageOf } from '../base/errors.ts';
import type { StorageConfig } from '../backup/swift/storage-config.ts';
import type { LogFormat, LogLevel } from '../base/log.ts';
import {
  overriddenPaths,
  readIniOverrides,
  type IniOverrides,
} from '../ini/model/ini-overrides.ts';
import { loadAgentConfig } from '../config/load.ts';
import type { AgentConfig } from '../config/schema.ts';
import type { DataFolders } from '../node/data-folders.ts';
import { findUser, type SystemUser } from '../host/system-user.ts';
import { readConfigFiles } from '../oslo/config-files.ts';
import { readRabbitOptions, type RabbitOptions } from '../oslo/rabbit-options.ts';
import { readGuestConfig, type GuestConfig } from '../trove/guest-config.ts';
import { readUserPort, type UserPort } from '../trove/user-port.ts';

/** What the command line says. */
export interface RunOptions {
  /** Trove's configuration directory, as /etc/trove/conf.d. */
  configDirectory: string;
  /** agent.yaml, and whether somebody named it, so that it must exist. */
  configFile: string;
  configFileNamed: boolean;
  logFormat?: LogFormat | undefined;
  logLevel?: LogLevel | undefined;
}

/** What a node of either mode is configured with. */
export interface NodeSettings {
  agent: AgentConfig;
  overrides: IniOverrides;
  /** PEM text of the CA of K2HR3, when one is named. */
  k2hr3Ca: string | undefined;
  /** Who runs chmpx, k2hdkc and their tools; null: the user of the agent. */
  programUser: SystemUser | null;
  /** Where the data file may be. */
  dataFolders: DataFolders;
  /** What Trove says of the networks of this VM; nulls on a slave, and what it does not say. */
  trove: { userPort: UserPort | null; isolation: boolean | null };
}

/** Everything that was configured for a server, read and checked before anything is touched. */
export interface Settings extends NodeSettings {
  guest: GuestConfig;
  rabbit: RabbitOptions;
  /** Where backups are. */
  storage: StorageConfig;
}

const NOTHING: NodeSettings['trove'] = { userPort: null, isolation: null };

/**
 * Reads agent.yaml.
 *
 * @throws ConfigurationError in one line: what is wrong, where, and what it should be.
 */
export async function readNodeSettings(options: RunOptions): Promise<NodeSettings> {
  const { configFile } = options;
  const agent = await loadAgentConfig(configFile, { mustExist: options.configFileNamed });
  if (options.logFormat) agent.log.format = options.logFormat;
  if (options.logLevel) agent.log.level = options.logLevel;
  const overrides = readIniOverrides(agent.ini, configFile, agent.mode);
  await mustExist(overrides, configFile);
  const { user } = agent.programs;
  const programUser = user === null ? null : await findUser(user);
  const dataFolders = dataFoldersOf(agent, overrides, agent.paths.data_dir);
  const k2hr3Ca = await readCa('k2hr3', agent);
  return { agent, overrides, programUser, dataFolders, k2hr3Ca, trove: NOTHING };
}

/**
 * Reads agent.yaml, unless the caller has, and Trove's files.
 *
 * @throws ConfigurationError as above.
 */
export async function readSettings(
  options: RunOptions,
  environment: NodeJS.ProcessEnv,
  node?: NodeSettings,
): Promise<Settings> {
  const settings = node ?? (await readNodeSettings(options));
  const oslo = await readConfigFiles([{ directory: options.configDirectory }], environment);
  const guest = readGuestConfig(oslo);
  const rabbit = readRabbitOptions(oslo, guest.transport.options);
  if (rabbit.tls) await readTls(rabbit.tls); // a mistake in its files is one of the configuration
  const storage = { ...guest.storage, ca: await readCa('backup', settings.agent) };
  const { agent, overrides } = settings;
  const dataDirectory = agent.paths.data_dir ?? guest.mountPoint;
  const dataFolders = dataFoldersOf(agent, overrides, dataDirectory);
  const userPort = await readUserPort(agent.paths.user_port_file);
  const trove = { userPort, isolation: guest.networkIsolation };
  return { ...settings, dataFolders, guest, rabbit, storage, trove };
}

function dataFoldersOf(
  { paths }: AgentConfig,
  { k2hdkc }: IniOverrides,
  dataDirectory: string | null,
): DataFolders {
  const own = [...(dataDirectory === null ? [] : [dataDirectory]), paths.shared_dir];
  const file = k2hdkc.get('K2HFILE');
  const named = typeof file === 'string' ? [path.dirname(file)] : [];
  const plain = (folder: string): string => path.resolve(folder);
  return { own: own.map(plain), all: [...own, ...paths.role_dirs, ...named].map(plain) };
}

/** chmpx refuses an ini that names a file which is not there, and leaves if it runs already. */
async function mustExist(overrides: IniOverrides, configFile: string): Promise<void> {
  for (const { key, path: file } of overriddenPaths(overrides)) {
    await access(file).catch((cause: unknown) => {
      throw new ConfigurationError(`${configFile}: ${key} = ${file}: ${messageOf(cause)}`, {
        cause,
      });
    });
  }
}

async function readCa(
  section: 'k2hr3' | 'backup',
  { [section]: { ca_file: file } }: AgentConfig,
): Promise<string | undefined> {
  if (file === null) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`cannot read ${section}.ca_file ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
