import path from 'node:path';
import { AgentError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { startNeeds, type StartNeeds } from '../../ini/start/needs.ts';
import { parseRole } from '../../ini/text/parse-role.ts';
import { giveTo } from '../../host/give-to.ts';
import { holdFolder } from '../../host/held-folder.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import { giveSharedDirectory, makeSharedDirectory } from '../../host/shared-directory.ts';
import type { SystemUser } from '../../host/system-user.ts';
import { removeLeftovers } from '../../process/leftovers.ts';
import type { DataFolders } from '../data-folders.ts';
import { preflight } from './preflight.ts';

/** Where and as whom the programs start. */
export interface StartSiteOptions {
  iniFile: string;
  /** Where chmpx has its shared memory. */
  sharedDirectory: string;
  /** Where the data file may be. */
  dataFolders: () => DataFolders;
  /** Who runs the programs; null: the user of the agent. */
  user: SystemUser | null;
  /** See PreflightSubject. */
  controlHost: string;
  inheritsLimits: boolean;
  log: Logger;
}

/**
 * Makes this VM ready for a start of chmpx and k2hdkc, by what their ini says: directories, owners,
 * leftovers of a crash, and every limit that would make them fail.
 */
export class StartSite {
  readonly #options: StartSiteOptions;

  constructor(options: StartSiteOptions) {
    this.#options = options;
  }

  /** Before chmpx starts. Neither it nor k2hdkc may run. Rejects with the reason and the remedy. */
  async prepareChmpx(): Promise<undefined> {
    const { sharedDirectory, user, controlHost, inheritsLimits, log } = this.#options;
    // Without it, chmpx and its tools would each look for one in /tmp.
    await makeSharedDirectory(sharedDirectory);
    const needs = await this.#needs();
    const subject = { user: user?.name ?? 'of the agent', uid: user?.uid ?? ownId() };
    await preflight(needs, { ...subject, controlHost, inheritsLimits });
    const removed = await removeLeftovers(needs.shared.map(({ file }) => file));
    if (removed.length > 0)
      log.info({ removed }, 'leftovers of a chmpx that was killed are removed');
    if (user) await giveSharedDirectory(user, sharedDirectory);
  }

  /**
   * Before k2hdkc starts: it does not make the folder of its data file.
   *
   * @returns that folder; undefined when it keeps no file.
   */
  async prepareK2hdkc(): Promise<string | undefined> {
    const { user } = this.#options;
    const dataFolders = this.#options.dataFolders();
    const { data } = await this.#needs();
    if (!data) return undefined;
    const name = path.dirname(data.file);
    const folder = await holdFolder(name, dataFolders.all);
    try {
      const mayGiveFolder = folder.made || dataFolders.own.includes(name);
      const gift = { folder, file: path.basename(data.file), mayGiveFolder };
      if (user) await giveTo(user, gift, data.file);
    } finally {
      await folder.close();
    }
    return name;
  }

  async #needs(): Promise<StartNeeds> {
    const { iniFile, sharedDirectory } = this.#options;
    const reading = parseRole(await readPlainFile(iniFile));
    if (reading.ok) return startNeeds(reading.model, reading.model.global.selfCuk, sharedDirectory);
    const [problem] = reading.problems;
    throw new AgentError(`${iniFile} is not as written: ${problem?.text ?? ''}`, {
      retryable: true,
    });
  }
}

function ownId(): number {
  return process.getuid?.() ?? 0;
}
