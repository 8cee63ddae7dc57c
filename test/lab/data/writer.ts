import { sleep, systemClock } from '../../../src/base/clock.ts';
import { readKeys, writeKeys, type KeysRead, type KeyTool } from '../../helpers/ring-keys.ts';

/** So many keys at once, twice a second. */
const BATCH = 10;

/** Writes keys for as long as a change goes on, and remembers which were acknowledged. */
export class Writer {
  readonly #tool: KeyTool;
  readonly #name: string;
  readonly #running: Promise<void>;
  #batches = 0;
  /** Batches of which every key was acknowledged; of others it is not known which were. */
  readonly #good: number[] = [];
  #slowestMs = 0;
  #stopped = false;

  constructor(tool: KeyTool, name: string) {
    this.#tool = tool;
    this.#name = name;
    this.#running = this.#run();
  }

  /** The longest that a batch took (ms): clients saw a closed ring for so long. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** Ends it; resolves with what became of the keys that were acknowledged. */
  async end(): Promise<KeysRead> {
    this.#stopped = true;
    await this.#running;
    const total: KeysRead = { found: 0, missing: 0, failed: 0 };
    for (const batch of this.#good) {
      const read = await readKeys(this.#tool, this.#prefix(batch), BATCH);
      total.found += read.found;
      total.missing += read.missing;
      total.failed += read.failed;
    }
    return total;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const batch = this.#batches++;
      const start = systemClock.monotonic();
      const acknowledged = await writeKeys(this.#tool, this.#prefix(batch), BATCH).catch(() => 0);
      this.#slowestMs = Math.max(this.#slowestMs, systemClock.monotonic() - start);
      if (acknowledged === BATCH) this.#good.push(batch);
      await sleep(systemClock, 500);
    }
  }

  #prefix(batch: number): string {
    return `${this.#name}.${batch}.`;
  }
}
