import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Backoff } from '../../base/backoff.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { Alarm } from '../../base/wait.ts';
import {
  makePrivateDirectory,
  removeUnfinishedWrites,
  writeFileAtomic,
} from '../../host/atomic-file.ts';
import { dated, isOutcome, type ConductorMessage } from '../../trove/conductor-messages.ts';

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
  message: ConductorMessage;
  /** What keeps a durable item over a crash; statuses have none, they are observed anew. */
  kept: { id: string; file: string } | null;
}

/**
 * Between two states of backups (ms). The conductor handles what comes at once side by side, and
 * could store BUILDING over the outcome, where the backup is BUILDING for ever (seen).
 */
const BACKUP_SPACING_MS = 1_000;
/** The conductor's queue is not durable: what was confirmed so long ago can go with the broker (ms). */
const DOUBTFUL_MS = 60_000;

/**
 * What waits for the conductor, in order. A message counts as delivered when it was confirmed and
 * not returned: a publish to a conductor queue that does not exist is confirmed too
 * (docs/contracts/trove.md, 5.1). How a backup ended is said again when the connection is lost soon
 * after.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #directory: string;
  readonly #items: Item[] = [];
  readonly #alarm = new Alarm();
  /** By id: resolves when the item is safe on disk. */
  readonly #durable = new Map<string, Promise<void>>();
  #sending: Item | null = null;
  /** When the last state of a backup was delivered: at the latest just before this agent began. */
  #backupAt: number;
  /** How backups have ended, with the time when it was delivered. */
  #outcomes: { message: ConductorMessage; at: number }[] = [];
  /** Something could not be delivered, and what has piled up since is not all sent yet. */
  #late = false;
  #next = 1;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#directory = path.join(options.stateDirectory, 'outbox');
    this.#backupAt = options.clock.monotonic();
  }

  /** Opens the outbox with what an earlier agent did not get rid of. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    await makePrivateDirectory(outbox.#directory);
    await removeUnfinishedWrites(outbox.#directory);
    const names = (await readdir(outbox.#directory)).filter((name) => name.endsWith('.json'));
    for (const name of names.sort()) await outbox.#load(name);
    return outbox;
  }

  /** Queues a status; the newest wins over one that still waits right before it. */
  postStatus(message: ConductorMessage): void {
    const last = this.#items.at(-1);
    if (last && isStatus(last) && last !== this.#sending) this.#items.pop();
    this.#items.push({ message, kept: null });
    this.#alarm.ring();
  }

  /**
   * Queues what must not be lost; resolves when it is safe on disk.
   *
   * @param id names it: posting the same id twice before it was sent is posting it once.
   */
  postDurable(id: string, message: ConductorMessage): Promise<void> {
    const posted = this.#durable.get(id) ?? this.#keep(id, message);
    this.#durable.set(id, posted);
    return posted;
  }

  /**
   * The session is there (again): do not wait for the next retry, and say again how the backups of
   * the last minute have ended.
   */
  connected(): void {
    this.#items.push(...this.#recent().map(({ message }) => ({ message, kept: null })));
    this.#outcomes = [];
    this.#options.backoff.reset();
    this.#alarm.ring();
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, backoff } = this.#options;
    while (!signal.aborted) {
      if (this.#late) this.#forgetOldStatuses();
      const [item] = this.#items;
      const pauseMs = item?.message.method === 'update_backup' ? this.#backupPause() : 0;
      if (!item) {
        this.#late = false;
        await this.#alarm.wait(clock, 3_600_000, signal);
      } else if (pauseMs > 0) {
        await sleep(clock, pauseMs, signal);
      } else if (await this.#deliver(item, signal)) {
        backoff.reset();
        this.#remember(item.message);
        await this.#drop(item);
      } else {
        this.#late = true;
        await this.#alarm.wait(clock, backoff.next(), signal);
      }
    }
  }

  /** After an outage only the newest status is true: those before it would tell Trove a lie. */
  #forgetOldStatuses(): void {
    const newest = this.#items.findLast(isStatus);
    const others = this.#items.filter((item) => !isStatus(item) || item === newest);
    this.#items.splice(0, Infinity, ...others);
  }

  #backupPause(): number {
    return this.#backupAt + BACKUP_SPACING_MS - this.#options.clock.monotonic();
  }

  #remember(message: ConductorMessage): void {
    if (message.method !== 'update_backup') return;
    this.#backupAt = this.#options.clock.monotonic();
    if (isOutcome(message)) this.#outcomes = [...this.#recent(), { message, at: this.#backupAt }];
  }

  #recent(): { message: ConductorMessage; at: number }[] {
    const since = this.#options.clock.monotonic() - DOUBTFUL_MS;
    return this.#outcomes.filter(({ at }) => at > since);
  }

  async #load(name: string): Promise<void> {
    const file = path.join(this.#directory, name);
    const [, number = '0', encoded = ''] = /^(\d+)-(.*)\.json$/.exec(name) ?? [];
    this.#next = Number(number) + 1;
    try {
      const message = JSON.parse(await readFile(file, 'utf8')) as ConductorMessage;
      const id = decodeURIComponent(encoded);
      this.#items.push({ message, kept: { id, file } });
      this.#durable.set(id, Promise.resolve());
    } catch (err) {
      this.#options.log.warn({ err, file }, 'a message to the conductor cannot be read');
    }
  }

  async #keep(id: string, message: ConductorMessage): Promise<void> {
    // The number keeps the order over a crash.
    const name = `${String(this.#next++).padStart(8, '0')}-${encodeURIComponent(id)}.json`;
    const file = path.join(this.#directory, name);
    try {
      await writeFileAtomic(file, JSON.stringify(message));
    } catch (error) {
      this.#durable.delete(id);
      throw error;
    }
    this.#items.push({ message, kept: { id, file } });
    this.#alarm.ring();
  }

  /** Its file stays when the disk is read-only: the next agent sends it once more. */
  async #drop({ kept }: Item): Promise<void> {
    if (!kept) return;
    const { id, file } = kept;
    this.#durable.delete(id);
    await rm(file, { force: true }).catch((err: unknown) => {
      this.#options.log.warn({ err, file }, 'a message that was delivered cannot be removed');
    });
  }

  async #deliver(item: Item, signal: AbortSignal): Promise<boolean> {
    const { send, nextSent, log, backoff } = this.#options;
    this.#sending = item;
    try {
      // The agent must be able to end under a broker that does not confirm.
      const outcome = await unlessAborted(send(dated(item.message, nextSent)), signal);
      // Taken out in the same turn: a status that comes now must not take this one's place.
      if (outcome === 'confirmed') this.#items.shift();
      if (outcome === 'returned' && backoff.failures === 0) {
        log.warn('the conductor has no queue: is trove-conductor running? trying again');
      }
      return outcome === 'confirmed';
    } catch (err) {
      log.debug({ err }, 'no session with the broker: a message to the conductor waits');
      return false;
    } finally {
      this.#sending = null;
    }
  }
}

function isStatus({ message }: Item): boolean {
  return message.method === 'heartbeat';
}

/** Settles like `work`, or resolves with null when `signal` aborts first. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(null);
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
