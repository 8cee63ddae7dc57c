import { NotSent } from '../../amqp/message.ts';
import type { Backoff } from '../../base/backoff.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Seldom } from '../../base/seldom.ts';
import { Alarm } from '../../base/wait.ts';
import { dated, type ConductorMessage } from '../../trove/conductor-messages.ts';
import type { Concern } from '../../ring/watch/concern-keeper.ts';
import { OutboxFiles } from './outbox-file.ts';
import { Repeats, subjectOf } from './repeats.ts';
import { SaidFile } from './said-file.ts';

/**
 * Sends one message; `returned` means that no queue took it. Rejects with NotSent for a reason that is
 * not the message's own, and with any other error for one that may be.
 */
export type SendToConductor = (message: ConductorMessage) => Promise<'confirmed' | 'returned'>;

/** What the outbox works with. */
export interface OutboxOptions {
  stateDirectory: string;
  send: SendToConductor;
  /** The next `sent`, in seconds; strictly increasing. */
  nextSent: () => number;
  /** What was delivered is said again after this time (ms): see Repeats. */
  repeatMs: number;
  clock: Clock;
  backoff: Backoff;
  log: Logger;
}

interface Item {
  message: ConductorMessage;
  /** What keeps a durable item over a crash; statuses have none, they are observed anew. */
  kept: { id: string; name: string } | null;
  /** It was delivered before. */
  isAgain: boolean;
  /** How often it was refused. */
  failures: number;
}

/**
 * Between two states of backups (ms). The conductor handles what comes at once side by side, and
 * could store BUILDING over the outcome, where the backup is BUILDING for ever (seen).
 */
const BACKUP_SPACING_MS = 1_000;
/** No more wait on disk: whoever can cast to a guest without a key makes as many as he likes. */
const MOST_KEPT = 1_000;
/** What was refused so often is put aside. */
const MOST_FAILURES = 5;

/**
 * What waits for the conductor, in order; when something cannot be delivered, statuses go first, and
 * what the broker refuses five times is put aside. A message counts as delivered when it was confirmed and
 * not returned: a publish to a conductor queue that does not exist is confirmed too
 * (docs/contracts/trove.md, 5.1). How a backup ended, faults and ends are said again some time later, and
 * when the connection is lost soon after.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #files: OutboxFiles;
  readonly #items: Item[] = [];
  readonly #alarm = new Alarm();
  /** By id: resolves when the item is safe on disk. */
  readonly #durable = new Map<string, Promise<void>>();
  #sending: Item | null = null;
  /** When the last state of a backup was delivered: at the latest just before this agent began. */
  #backupAt: number;
  readonly #saidFile: SaidFile;
  readonly #repeats: Repeats;
  /** Something could not be delivered, and what has piled up since is not all sent yet. */
  #late = false;
  readonly #seldom: Seldom;
  #refused = 0;
  #concern: Concern | null = null;

  private constructor(options: OutboxOptions, saidFile: SaidFile, repeats: Repeats) {
    this.#options = options;
    this.#saidFile = saidFile;
    this.#repeats = repeats;
    this.#files = new OutboxFiles(options.stateDirectory);
    this.#seldom = new Seldom(options.clock, options.log);
    this.#backupAt = options.clock.monotonic();
  }

  /** Opens the outbox with what an earlier agent did not get rid of. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const { stateDirectory, clock, repeatMs, log } = options;
    const saidFile = new SaidFile(stateDirectory, clock, log);
    const repeats = new Repeats(clock, repeatMs, await saidFile.load());
    const outbox = new Outbox(options, saidFile, repeats);
    const kept = await outbox.#files.load(
      (name, err) => outbox.#putAside(name, err),
      (err) => options.log.error({ err }, 'the outbox cannot be used: notifications may be lost'),
    );
    for (const { id, name, message } of kept) {
      outbox.#items.push(newItem(message, { id, name }));
      outbox.#durable.set(id, Promise.resolve());
    }
    return outbox;
  }

  /** What of it concerns a person: messages that Trove has not heard of. */
  get concerns(): Concern[] {
    return this.#concern === null ? [] : [this.#concern];
  }

  /** Queues a status; the newest wins over one that still waits right before it. */
  postStatus(message: ConductorMessage): void {
    const last = this.#items.at(-1);
    if (last && isStatus(last) && last !== this.#sending) this.#items.pop();
    this.#items.push(newItem(message, null));
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
   * The session is there (again): do not wait for the next retry, and say again what the last minute's
   * broker may have lost: how backups have ended, faults and ends.
   */
  connected(): void {
    this.#sayAgain(this.#repeats.doubtful());
    this.#options.backoff.reset();
    this.#alarm.ring();
  }

  /** Trove has asked for something new: see Repeats.requested. */
  requested(): void {
    this.#repeats.requested();
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, backoff } = this.#options;
    while (!signal.aborted) {
      this.#sayAgain(this.#repeats.due());
      if (this.#late) this.#newestStatusFirst();
      const [item] = this.#items;
      const pauseMs = item?.message.method === 'update_backup' ? this.#backupPause() : 0;
      if (!item) {
        this.#late = false;
        await this.#alarm.wait(
          clock,
          Math.min(this.#repeats.nextInMs ?? Infinity, 3_600_000),
          signal,
        );
      } else if (pauseMs > 0) {
        await sleep(clock, pauseMs, signal);
      } else if (await this.#deliver(item, signal)) {
        backoff.reset();
        await this.#remember(item);
        await this.#drop(item);
      } else {
        this.#late = true;
        await this.#alarm.wait(clock, backoff.next(), signal);
      }
    }
  }

  /**
   * After an outage only the newest status is true: those before it would tell Trove a lie. It waits
   * for nothing else: without it Trove takes this agent for gone.
   */
  #newestStatusFirst(): void {
    const newest = this.#items.findLast(isStatus);
    if (newest === undefined) return;
    this.#items.splice(0, Infinity, newest, ...this.#items.filter((item) => !isStatus(item)));
  }

  #backupPause(): number {
    return this.#backupAt + BACKUP_SPACING_MS - this.#options.clock.monotonic();
  }

  async #remember(item: Item): Promise<void> {
    if (isStatus(item)) return;
    const { message, isAgain } = item;
    if (message.method === 'update_backup') this.#backupAt = this.#options.clock.monotonic();
    this.#repeats.delivered(message, isAgain);
    await this.#saidFile.write(this.#repeats.pending);
  }

  /** Not behind what waits about the same: that is newer. */
  #sayAgain(messages: readonly ConductorMessage[]): void {
    const waiting = new Set(this.#items.map(({ message }) => subjectOf(message)));
    const missing = messages.filter((message) => !waiting.has(subjectOf(message)));
    this.#items.push(...missing.map((message) => ({ ...newItem(message, null), isAgain: true })));
  }

  async #keep(id: string, message: ConductorMessage): Promise<void> {
    const name = await this.#files.write(id, message).catch((error: unknown) => {
      this.#durable.delete(id);
      throw error;
    });
    this.#items.push(newItem(message, { id, name }));
    this.#alarm.ring();
    const kept = this.#items.filter((item) => item.kept !== null && item !== this.#sending);
    const [oldest] = kept;
    if (oldest && kept.length > MOST_KEPT) {
      await this.#giveUp(oldest, new AgentError(`more than ${MOST_KEPT} messages wait`));
    }
  }

  /** Its file stays when the disk is read-only: the next agent sends it once more. */
  async #drop({ kept }: Item): Promise<void> {
    if (!kept) return;
    const { id, name } = kept;
    this.#durable.delete(id);
    await this.#files.remove(name).catch((err: unknown) => {
      this.#seldom.warn({ err, file: name }, 'a message that was delivered cannot be removed');
    });
  }

  #putAside(name: string, err: unknown): void {
    this.#refused++;
    const { clock } = this.#options;
    const since = new Date(clock.wall()).toISOString();
    this.#concern = {
      kind: 'not-reported',
      subject: 'conductor',
      since: this.#concern?.since ?? since,
      text: `Trove does not hear of ${this.#refused} events: see outbox/refused in the state directory`,
    };
    this.#seldom.error(
      { err, file: name },
      'Trove does not hear of this: it was put into outbox/refused',
    );
  }

  /** A refused status is followed by the next one; a kept message that is refused too often is put aside. */
  async #failed(item: Item, err: unknown): Promise<void> {
    const { log } = this.#options;
    if (err instanceof NotSent) {
      log.debug({ err }, 'no session with the broker: a message to the conductor waits');
      return;
    }
    item.failures++;
    const { method } = item.message;
    this.#seldom.warn(
      { err, method, times: item.failures },
      'a message to the conductor was refused',
    );
    if (item.failures < MOST_FAILURES) return;
    await this.#giveUp(item, err);
  }

  async #giveUp(item: Item, err: unknown): Promise<void> {
    this.#items.splice(this.#items.indexOf(item), 1);
    if (!item.kept) return;
    this.#durable.delete(item.kept.id);
    await this.#files.putAside(item.kept.name);
    this.#putAside(item.kept.name, err);
  }

  async #deliver(item: Item, signal: AbortSignal): Promise<boolean> {
    const { send, nextSent, log, backoff } = this.#options;
    this.#sending = item;
    try {
      // The agent must be able to end under a broker that does not confirm.
      const outcome = await unlessAborted(send(dated(item.message, nextSent)), signal);
      // Taken out in the same turn: a status that comes now must not take this one's place.
      if (outcome === 'confirmed') this.#items.splice(this.#items.indexOf(item), 1);
      if (outcome === 'returned' && backoff.failures === 0) {
        log.warn('the conductor has no queue: is trove-conductor running? trying again');
      }
      return outcome === 'confirmed';
    } catch (err) {
      await this.#failed(item, err);
      return false;
    } finally {
      this.#sending = null;
    }
  }
}

function newItem(message: ConductorMessage, kept: Item['kept']): Item {
  return { message, kept, isAgain: false, failures: 0 };
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
