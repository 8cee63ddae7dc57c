import { readFile } from 'node:fs/promises';
import { readTls } from '../amqp/tls.ts';
import { ConfigurationError, messageOf } from '../base/errors.ts';
import type { LogFormat, LogLevel } from '../base/log.ts';
import { loadAgentConfig } from '../config/load.ts';
import type { AgentConfig } from '../config/schema.ts';
import { readConfigFiles } from '../oslo/config-files.ts';
import { readRabbitOptions, type RabbitOptions } from '../oslo/rabbit-options.ts';
import { readGuestConfig, type GuestConfig } from '../trove/guest-config.ts';

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

/** Everything that was configured, read and checked before anything is touched. */
export interface Settings {
  agent: AgentConfig;
  guest: GuestConfig;
  rabbit: RabbitOptions;
  /** PEM text of the CA of K2HR3, when one is named. */
  k2hr3Ca: string | undefined;
}

/**
 * Reads agent.yaml and Trove's files.
 *
 * @throws ConfigurationError in one line: what is wrong, where, and what it should be.
 */
export async function readSettings(
  options: RunOptions,
  environment: NodeJS.ProcessEnv,
): Promise<Settings> {
  const agent = await loadAgentConfig(options.configFile, { mustExist: options.configFileNamed });
  if (options.logFormat) agent.log.format = options.logFormat;
  if (options.logLevel) agent.log.level = options.logLevel;
  const oslo = await readConfigFiles([{ directory: options.configDirectory }], environment);
  const guest = readGuestConfig(oslo);
  const rabbit = readRabbitOptions(oslo, guest.transport.options);
  if (rabbit.tls) await readTls(rabbit.tls); // a mistake in its files is one of the configuration
  return { agent, guest, rabbit, k2hr3Ca: await readCa(agent.k2hr3.ca_file) };
}

async function readCa(file: string | null): Promise<string | undefined> {
  if (file === null) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`cannot read k2hr3.ca_file ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
