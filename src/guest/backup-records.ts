import path from 'node:path';
import * as v from 'valibot';
import type { BackupPlace, BackupPlaces } from '../backup/make/backup.ts';
import { codeOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';

const outcome = v.variant('state', [
  v.object({ state: v.literal('COMPLETED'), checksum: v.string(), location: v.string() }),
  v.object({ state: v.literal('FAILED'), reason: v.string() }),
]);
const schema = v.object({
  /** The backup that is under way, if any. */
  current: v.nullable(
    v.object({
      /** Of the request. */
      id: v.string(),
      /** How many agents have begun it. */
      starts: v.number(),
      /** How it has ended, as long as Trove may not have been told. */
      outcome: v.nullable(outcome),
    }),
  ),
  places: v.array(
    v.object({ accountUrl: v.string(), container: v.string(), backupId: v.string() }),
  ),
});

/** How a backup ended. */
export type BackupOutcome = v.InferOutput<typeof outcome>;
type Records = v.InferOutput<typeof schema>;

const NONE: Records = { current: null, places: [] };

/**
 * What must outlive an agent that is killed in the middle of a backup, in `backups.json` of the state
 * directory. It holds no secret.
 */
export class BackupRecords implements BackupPlaces {
  readonly #file: string;
  #records: Records;

  private constructor(file: string, records: Records) {
    this.#file = file;
    this.#records = records;
  }

  /** A file that cannot be read is begun anew: all that is lost is what is to be tidied up. */
  static async open(stateDirectory: string, log: Logger): Promise<BackupRecords> {
    const file = path.join(stateDirectory, 'backups.json');
    try {
      const records = v.parse(schema, JSON.parse(await readPlainFile(file)));
      return new BackupRecords(file, records);
    } catch (err) {
      if (codeOf(err) !== 'ENOENT') log.warn({ err, file }, 'the records of backups are lost');
      return new BackupRecords(file, NONE);
    }
  }

  get current(): Records['current'] {
    return this.#records.current;
  }

  /** The backup of this request begins; resolves with how often it has by now. */
  async started(id: string): Promise<number> {
    const { current } = this.#records;
    const starts = current?.id === id ? current.starts + 1 : 1;
    await this.#write({ current: { id, starts, outcome: null } });
    return starts;
  }

  async ended(id: string, ending: BackupOutcome): Promise<void> {
    await this.#write({ current: { id, starts: 0, outcome: ending } });
  }

  /** Trove will hear of it. What a backup that is complete has in Swift is Trove's from now on. */
  async told(backupId: string | null, ending: BackupOutcome): Promise<void> {
    const { places } = this.#records;
    const isOurs = (place: BackupPlace): boolean =>
      ending.state === 'FAILED' || place.backupId !== backupId;
    await this.#write({ current: null, places: places.filter(isOurs) });
  }

  known(): readonly BackupPlace[] {
    return this.#records.places;
  }

  async begun(place: BackupPlace): Promise<void> {
    await this.#write({ places: [...this.#others(place), place] });
  }

  async removed(place: BackupPlace): Promise<void> {
    await this.#write({ places: this.#others(place) });
  }

  #others({ accountUrl, container, backupId }: BackupPlace): BackupPlace[] {
    const key = JSON.stringify([accountUrl, container, backupId]);
    return this.#records.places.filter(
      (one) => JSON.stringify([one.accountUrl, one.container, one.backupId]) !== key,
    );
  }

  async #write(change: Partial<Records>): Promise<void> {
    this.#records = { ...this.#records, ...change };
    await writeFileAtomic(this.#file, `${JSON.stringify(this.#records, null, 2)}\n`);
  }
}
