import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { AgentError } from '../../base/errors.ts';
import {
  makePrivateDirectory,
  makePrivateDirectoryAt,
  removeUnfinishedWrites,
  writeFileAtomic,
} from '../../host/atomic-file.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import { isObject, type JsonObject } from '../../oslo/envelope.ts';
import type { ConductorMessage } from '../../trove/conductor-messages.ts';

/** So many files that were put aside are kept, the newest. */
const MOST_REFUSED = 20;

const fields = v.custom<JsonObject>(isObject);

/** A message to the conductor as it is kept on disk. */
export const keptMessage: v.GenericSchema<unknown, ConductorMessage> = v.object({
  method: v.picklist(['heartbeat', 'update_backup', 'notify_end', 'notify_exc_info']),
  args: fields,
  context: fields,
});

/** A message that is kept over a crash. */
export interface KeptMessage {
  /** Posting the same id twice is posting it once. */
  id: string;
  /** The name of its file. */
  name: string;
  message: ConductorMessage;
}

/**
 * The files of the outbox: `NNNNNNNN-ID.json` in `outbox/`, in the order in which they were posted. What
 * cannot be read or delivered is put aside into `outbox/refused/`, where nothing is sent from.
 */
export class OutboxFiles {
  readonly #directory: string;
  #next = 1;

  constructor(stateDirectory: string) {
    this.#directory = path.join(stateDirectory, 'outbox');
  }

  /**
   * Reads what is kept, oldest first; `onBad` hears of each file that was put aside instead. Nothing is
   * kept where there is no folder and none can be made, which `onTrouble` hears of.
   */
  async load(
    onBad: (name: string, why: unknown) => void,
    onTrouble: (why: unknown) => void,
  ): Promise<KeptMessage[]> {
    const names = await this.#names().catch((error: unknown) => {
      onTrouble(error);
      return [];
    });
    const kept: KeptMessage[] = [];
    for (const name of names.sort()) {
      try {
        kept.push(await this.#read(name));
      } catch (error) {
        await this.putAside(name);
        onBad(name, error);
      }
    }
    return kept;
  }

  /** Resolves with the file's name when it is safe on disk. */
  async write(id: string, message: ConductorMessage): Promise<string> {
    // The number keeps the order over a crash.
    const name = `${String(this.#next++).padStart(8, '0')}-${encodeURIComponent(id)}.json`;
    await makePrivateDirectory(this.#directory);
    await writeFileAtomic(path.join(this.#directory, name), JSON.stringify(message));
    return name;
  }

  async remove(name: string): Promise<void> {
    await rm(path.join(this.#directory, name), { force: true });
  }

  /** Never rejects: on a disk that is read-only it stays, and the next agent tries it again. */
  async putAside(name: string): Promise<void> {
    try {
      const refused = path.join(this.#directory, 'refused');
      await mkdir(refused, { recursive: true, mode: 0o700 });
      await rename(path.join(this.#directory, name), path.join(refused, name));
      const names = (await readdir(refused)).sort();
      for (const old of names.slice(0, Math.max(0, names.length - MOST_REFUSED))) {
        await rm(path.join(refused, old), { recursive: true, force: true });
      }
    } catch {
      // See above.
    }
  }

  async #names(): Promise<string[]> {
    await makePrivateDirectoryAt(this.#directory);
    await removeUnfinishedWrites(this.#directory);
    return (await readdir(this.#directory)).filter((name) => name.endsWith('.json'));
  }

  async #read(name: string): Promise<KeptMessage> {
    const [, number, encoded] = /^(\d{1,15})-(.*)\.json$/.exec(name) ?? [];
    if (number === undefined || encoded === undefined) throw new AgentError('not one of its names');
    this.#next = Math.max(this.#next, Number(number) + 1);
    const file = path.join(this.#directory, name);
    const parsed = v.safeParse(keptMessage, JSON.parse(await readPlainFile(file)));
    if (!parsed.success) throw new AgentError('it is no message to the conductor');
    return { id: decodeURIComponent(encoded), name, message: parsed.output };
  }
}
