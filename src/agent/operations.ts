import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';
import { Unfinished } from '../oslo/rpc-server.ts';
import { guestError, troveError } from '../trove/exceptions.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** A named wish that changes this VM, with whoever waits for its outcome. */
export interface Operation<T> {
  /** The RPC method. */
  name: string;
  /** A repeated call with the same key joins the one that runs or waits. */
  key: string;
  entry: JournalEntry;
  /** To be called when the wish is safe: the message may then be acknowledged. */
  accepted: () => void;
  /** How long the caller is kept waiting, in milliseconds; null for a cast, which nobody awaits. */
  limitMs: number | null;
  work: () => Promise<T>;
}

/** Why an operation did not end: the agent stops. It stays in the journal and is continued. */
export class Interrupted extends Unfinished {
  constructor() {
    super('the agent stops; the operation is continued at its next start');
  }
}

/**
 * Runs the operations that change this VM: journalled, one after the other, a repeated one joining
 * the first. No caller waits beyond its limit: it gets a GuestError with the progress, and the
 * operation goes on; from then on it holds up no other.
 */
export class Operations {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #progress: () => string;
  readonly #pending = new Map<string, Promise<unknown>>();
  #tail: Promise<unknown> = Promise.resolve();
  readonly #running = new Set<string>();

  constructor(parts: { journal: Journal; clock: Clock; log: Logger; progress: () => string }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#progress = parts.progress;
  }

  /** Accepts and performs an operation; settles with its outcome, or with a GuestError in time. */
  async perform<T>(operation: Operation<T>): Promise<T> {
    const { name, limitMs } = operation;
    await this.#accept(operation);
    const outcome = this.#enqueue(operation);
    return this.#limited(outcome, limitMs, () =>
      guestError(`${name} is not over yet (${this.#describe(name)}); it goes on, ask again`),
    );
  }

  async #accept({ name, entry, accepted }: Operation<unknown>): Promise<void> {
    try {
      if (!this.#journal.knows(entry.id)) await this.#journal.accept(entry);
    } catch (error) {
      throw troveError(`${name} is refused, it cannot be stored on this VM: ${messageOf(error)}`);
    }
    accepted();
  }

  #limited<T>(outcome: Promise<T>, limitMs: number | null, late: () => Error): Promise<T> {
    return limitMs === null ? outcome : withDeadline(this.#clock, limitMs, outcome, late);
  }

  #enqueue<T>(operation: Operation<T>): Promise<T> {
    const joined = this.#pending.get(operation.key) as Promise<T> | undefined;
    if (joined) {
      this.#log.info({ operation: operation.name }, 'joins the one that runs already');
      return joined.finally(() => this.#journal.finish(operation.entry.id));
    }
    const begun = this.#tail.then(() => {
      const outcome = this.#run(operation);
      const turn = this.#limited(outcome, operation.limitMs, () => new Error('the turn is over'));
      return { outcome, turn: turn.catch(() => undefined) };
    });
    this.#tail = begun.then(({ turn }) => turn);
    const outcome = begun.then((run) => run.outcome);
    this.#pending.set(operation.key, outcome);
    return outcome;
  }

  async #run<T>({ name, key, entry, work }: Operation<T>): Promise<T> {
    const started = this.#clock.monotonic();
    this.#running.add(name);
    this.#log.info({ operation: name, id: entry.id }, 'operation starts');
    const seconds = (): string => ((this.#clock.monotonic() - started) / 1000).toFixed(1);
    let interrupted = false;
    try {
      const result = await work();
      this.#log.info({ operation: name, id: entry.id, seconds: seconds() }, 'operation done');
      return result;
    } catch (error) {
      interrupted = error instanceof Interrupted;
      const why = messageOf(error);
      const text = interrupted ? 'operation interrupted' : 'operation failed';
      this.#log.warn({ operation: name, id: entry.id, seconds: seconds(), why }, text);
      throw error;
    } finally {
      this.#running.delete(name);
      this.#pending.delete(key);
      if (!interrupted) await this.#journal.finish(entry.id);
    }
  }

  #describe(name: string): string {
    const [before] = [...this.#running].filter((other) => other !== name);
    return before === undefined ? this.#progress() : `waiting for ${before}`;
  }
}
