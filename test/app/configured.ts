import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  readNodeSettings,
  readSettings,
  type NodeSettings,
  type RunOptions,
  type Settings,
} from '../../src/app/settings.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** What differs in the files that a test configures an agent with. */
export interface Configuration {
  /** Lines for [DEFAULT] of trove-guestagent.conf, and sections behind it. */
  guestAgent?: string;
  /** More of agent.yaml, without `paths` and `programs`. */
  agentYaml?: string;
  transportUrl?: string;
}

/** The settings of a server whose directories are new ones and whose programs are not there. */
export async function configured(change: Configuration = {}): Promise<Settings> {
  return readSettings(await files(change), {});
}

/** The same of a slave. */
export async function configuredSlave({ agentYaml = '' } = {}): Promise<NodeSettings> {
  return readNodeSettings(await files({ agentYaml: `mode: slave\n${agentYaml}` }));
}

async function files(change: Configuration): Promise<RunOptions> {
  const { guestAgent = '', agentYaml = '' } = change;
  const { transportUrl = 'rabbit://u:password@127.0.0.1:1/' } = change;
  const directory = await temporaryDirectory();
  const configDirectory = path.join(directory, 'conf.d');
  const configFile = path.join(directory, 'agent.yaml');
  await mkdir(configDirectory);
  await writeFile(
    path.join(configDirectory, 'guest_info.conf'),
    '[DEFAULT]\nguest_id = g-1\ndatastore_manager = k2hdkc\n',
  );
  await writeFile(
    path.join(configDirectory, 'trove-guestagent.conf'),
    `[DEFAULT]\ntransport_url = ${transportUrl}\n${guestAgent}\n`,
  );
  await writeFile(
    configFile,
    `paths:
  state_dir: ${directory}/state
  markers_dir: ${directory}/markers
  ini_file: ${directory}/etc/k2hdkc.ini
  instance_id_file: ${directory}/instance-id
  shared_dir: ${directory}/shared
programs:
  chmpx: ${directory}/chmpx
  k2hdkc: ${directory}/k2hdkc
  chmpxstatus: ${directory}/chmpxstatus
  launcher: direct
${agentYaml}`,
  );
  return { configDirectory, configFile, configFileNamed: true };
}
