import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Alarm } from '../base/wait.ts';
import { makePrivateDirectory, writeFileAtomic } from '../host/atomic-file.ts';
import type { ConductorMessage } from '../trove/conductor-messages.ts';

/** Makes the message at the moment it is sent: `sent` must be newer than any before it. */
export type MakeMessage = (sent: number) => ConductorMessage;

/** Sends one message; `returned` means that no queue took it. Rejects when there is no session. */
export type SendToConductor = (message: ConductorMessage) => Promise<'confirmed' | 'returned'>;

/** What the outbox works with. */
export interface OutboxOptions {
  stateDirectory: string;
  send: SendToConductor;
  /** The next `sent`, in seconds; strictly increasing. */
  nextSent: () => number;
  clock: Clock;
  backoff: Backoff;
  log: Logger;
}

interface Item {
  make: MakeMessage;
  /** A newer status takes the place of an older one that still waits at the end of the queue. */
  isStatus: boolean;
  /** The file that keeps it over a crash; statuses have none, they are observed anew. */
  file: string | null;
  /** The id of a durable item. */
  id: string | null;
}

/**
 * What waits for the conductor, in order. A message counts as delivered when it was confirmed and
 * not returned: a publish to a conductor queue that does not exist is confirmed too (Trove RPC
 * contract, section 4).
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #directory: string;
  readonly #items: Item[] = [];
  readonly #alarm = new Alarm();
  #inFlight = false;
  #next = 1;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#directory = path.join(options.stateDirectory, 'outbox');
  }

  /** Opens the outbox with what an earlier agent did not get rid of. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    await makePrivateDirectory(outbox.#directory);
    const names = (await readdir(outbox.#directory)).filter((name) => name.endsWith('.json'));
    for (const name of names.sort()) {
      const file = path.join(outbox.#directory, name);
      const [, number = '0', id = ''] = /^(\d+)-(.*)\.json$/.exec(name) ?? [];
      const message = JSON.parse(await readFile(file, 'utf8')) as ConductorMessage;
      outbox.#items.push({
        make: () => message,
        isStatus: false,
        file,
        id: decodeURIComponent(id),
      });
      outbox.#next = Number(number) + 1;
    }
    return outbox;
  }

  /** Queues a status; the newest wins over one that still waits right before it. */
  postStatus(make: MakeMessage): void {
    const last = this.#items.length - 1;
    const replaceable = this.#items[last]?.isStatus && !(this.#inFlight && last === 0);
    if (replaceable) this.#items.pop();
    this.#items.push({ make, isStatus: true, file: null, id: null });
    this.#alarm.ring();
  }

  /**
   * Queues what must not be lost; resolves when it is safe on disk.
   *
   * @param id names it: posting the same id twice before it was sent is posting it once.
   */
  async postDurable(id: string, message: ConductorMessage): Promise<void> {
    if (this.#items.some((item) => item.id === id)) return;
    // The number keeps the order over a crash.
    const name = `${String(this.#next++).padStart(8, '0')}-${encodeURIComponent(id)}.json`;
    const file = path.join(this.#directory, name);
    await writeFileAtomic(file, JSON.stringify(message));
    this.#items.push({ make: () => message, isStatus: false, file, id });
    this.#alarm.ring();
  }

  /** The session is there (again): do not wait for the next retry. */
  connected(): void {
    this.#options.backoff.reset();
    this.#alarm.ring();
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, backoff } = this.#options;
    while (!signal.aborted) {
      const [item] = this.#items;
      if (!item) {
        await this.#alarm.wait(clock, 3_600_000, signal);
      } else if (await this.#deliver(item)) {
        backoff.reset();
        this.#items.splice(this.#items.indexOf(item), 1);
        if (item.file !== null) await rm(item.file, { force: true });
      } else {
        await this.#alarm.wait(clock, backoff.next(), signal);
      }
    }
  }

  async #deliver(item: Item): Promise<boolean> {
    const { send, nextSent, log, backoff } = this.#options;
    this.#inFlight = true;
    try {
      const outcome = await send(item.make(nextSent()));
      if (outcome === 'returned' && backoff.failures === 0) {
        log.warn('the conductor has no queue: is trove-conductor running? trying again');
      }
      return outcome === 'confirmed';
    } catch (err) {
      log.debug({ err }, 'no session with the broker: a message to the conductor waits');
      return false;
    } finally {
      this.#inFlight = false;
    }
  }
}
