import path from 'node:path';
import * as v from 'valibot';
import { makePrivateDirectory, writeFileAtomic } from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';

/** What is remembered of a process that runs. */
export interface ProcessRecord {
  identity: ProcessIdentity;
  generation: string;
  /** See ProgramSpec; missing when somebody else has started it. */
  readAtStart?: Readonly<Record<string, string>>;
}

/** Signals go to this PID: 0, 1 and what is negative mean more than one process. */
const schema = v.looseObject({
  identity: v.looseObject({
    pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
    startTicks: v.string(),
    bootId: v.string(),
  }),
  generation: v.string(),
  readAtStart: v.optional(v.record(v.string(), v.string())),
});

/** The records of what runs, `NAME.json` each, by which the next agent finds it. */
export class ProcessRecords {
  readonly #directory: string;
  readonly #bootId: string;

  constructor(directory: string, bootId: string) {
    this.#directory = directory;
    this.#bootId = bootId;
  }

  /**
   * Never rejects: the process runs, and to call that a failure would get it a second one beside
   * it. Without a record the next agent finds it by its command line.
   */
  async write(name: string, record: ProcessRecord): Promise<void> {
    try {
      await makePrivateDirectory(this.#directory);
      await writeFileAtomic(this.#file(name), JSON.stringify(record));
    } catch {
      // See above.
    }
  }

  /** The record of a process that still lives, or null. */
  async read(name: string): Promise<ProcessRecord | null> {
    try {
      const record: unknown = JSON.parse(await readPlainFile(this.#file(name)));
      if (!v.is(schema, record)) return null;
      const { identity } = record;
      return identity.bootId === this.#bootId && isAlive(identity)
        ? (record as ProcessRecord)
        : null;
    } catch {
      return null; // none, or none that is of use
    }
  }

  #file(name: string): string {
    return path.join(this.#directory, `${name}.json`);
  }
}
