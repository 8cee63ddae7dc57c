import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readSettings, type Settings } from '../../src/app/settings.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** What is in the files that a test configures an agent with; see `configured`. */
export interface Configuration {
  /** Lines for [DEFAULT] of trove-guestagent.conf. */
  guestAgent?: string;
  /** The text of agent.yaml. */
  agentYaml?: string;
  transportUrl?: string;
}

/** The settings of a server whose state directory is a new one. */
export async function configured(change: Configuration = {}): Promise<Settings> {
  const { guestAgent = '', agentYaml = '' } = change;
  const { transportUrl = 'rabbit://u:password@192.0.2.1/' } = change;
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
  await writeFile(configFile, `paths: { state_dir: ${directory}/state }\n${agentYaml}`);
  return readSettings({ configDirectory, configFile, configFileNamed: true }, {});
}
