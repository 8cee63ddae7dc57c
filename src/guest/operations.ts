import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';
import { LoggedFailure } from '../oslo/failure.ts';
import { guestError, troveError } from '../trove/exceptions.ts';
import { Interrupted } from '../node/interrupted.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** A named wish that changes this VM, with whoever waits for its outcome. */
export interface Operation<T> {
  /** The RPC method. */
  name: string;
  /** A call with the same key as the one before joins it while that runs or waits. */
  key: string;
  entry: JournalEntry;
  /** To be called when the wish is safe: the message may then be acknowledged. */
  accepted: () => void;
  /** How long the caller is kept waiting, in milliseconds; null for a cast, which nobody awaits. */
  limitMs: number | null;
  work: () => Promise<T>;
}

/**
 * Runs the operations that change this VM: journalled, one after the other in the order in which
 * they came. One that is asked for again joins, unless something else was asked for in between: the
 * last word counts. No caller waits beyond its limit: it gets a GuestError with the progress, and the
 * operation goes on; from then on it holds up no other.
 */
export class Operations {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #progress: () => string;
  readonly #onBegin: () => void;
  readonly #onEnd: () => void;
  /** The operation that came last, until it is over. */
  #newest: { id: string; key: string; outcome: Promise<unknown> } | null = null;
  #accepting: Promise<unknown> = Promise.resolve();
  #tail: Promise<unknown> = Promise.resolve();
  readonly #running = new Set<string>();

  /** `onBegin` and `onEnd` are called before and after every operation, however it ends. */
  constructor(parts: {
    journal: Journal;
    clock: Clock;
    log: Logger;
    progress: () => string;
    onBegin?: () => void;
    onEnd?: () => void;
  }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#progress = parts.progress;
    this.#onBegin = parts.onBegin ?? (() => undefined);
    this.#onEnd = parts.onEnd ?? (() => undefined);
  }

  /**
   * Accepts and performs an operation; settles with its outcome, or with a GuestError in time.
   * Rejects with a LoggedFailure when the work fails, with Interrupted when the agent stops.
   */
  async perform<T>(operation: Operation<T>): Promise<T> {
    const { name, limitMs } = operation;
    await this.#accept(operation);
    const outcome = this.#enqueue(operation);
    return this.#limited(outcome, limitMs, () =>
      guestError(`${name} is not over yet (${this.#describe(name)}); it goes on, ask again`),
    );
  }

  async #accept({ name, entry, accepted }: Operation<unknown>): Promise<void> {
    // One at a time, so that no operation overtakes another while its entry is written.
    const stored = this.#accepting.then(() =>
      this.#journal.knows(entry.id) ? undefined : this.#journal.accept(entry),
    );
    this.#accepting = stored.catch(() => undefined);
    try {
      await stored;
    } catch (error) {
      throw troveError(`${name} is refused, it cannot be stored on this VM: ${messageOf(error)}`);
    }
    accepted();
  }

  #limited<T>(outcome: Promise<T>, limitMs: number | null, late: () => Error): Promise<T> {
    return limitMs === null ? outcome : withDeadline(this.#clock, limitMs, outcome, late);
  }

  #enqueue<T>(operation: Operation<T>): Promise<T> {
    const { key, entry } = operation;
    if (this.#newest?.key === key) {
      this.#log.info({ operation: operation.name }, 'joins the one that runs already');
      return this.#join(entry.id, this.#newest.outcome as Promise<T>);
    }
    const begun = this.#tail.then(() => {
      const outcome = this.#run(operation);
      const turn = this.#limited(outcome, operation.limitMs, () => new Error('the turn is over'));
      return { outcome, turn: turn.catch(() => undefined) };
    });
    this.#tail = begun.then(({ turn }) => turn);
    const outcome = begun.then((run) => run.outcome);
    this.#newest = { id: entry.id, key, outcome };
    return outcome;
  }

  /** Interrupted, it stays open too: the next agent answers both callers. */
  async #join<T>(id: string, outcome: Promise<T>): Promise<T> {
    const interrupted = await outcome.then(
      () => false,
      (error: unknown) => error instanceof Interrupted,
    );
    if (!interrupted) await this.#finish(id);
    return outcome;
  }

  async #run<T>({ name, entry, work }: Operation<T>): Promise<T> {
    const started = this.#clock.monotonic();
    this.#running.add(name);
    this.#log.info({ operation: name, id: entry.id }, 'operation starts');
    const seconds = (): string => ((this.#clock.monotonic() - started) / 1000).toFixed(1);
    let interrupted = false;
    this.#onBegin();
    try {
      const result = await work();
      this.#log.info({ operation: name, id: entry.id, seconds: seconds() }, 'operation done');
      return result;
    } catch (error) {
      interrupted = error instanceof Interrupted;
      const why = messageOf(error);
      const text = interrupted ? 'operation interrupted' : 'operation failed';
      this.#log.warn({ operation: name, id: entry.id, seconds: seconds(), why }, text);
      throw interrupted ? error : LoggedFailure.of(error);
    } finally {
      this.#running.delete(name);
      if (this.#newest?.id === entry.id) this.#newest = null;
      if (!interrupted) await this.#finish(entry.id);
      this.#onEnd();
    }
  }

  /** What has happened has happened, even if the disk refuses to take note of it. */
  async #finish(id: string): Promise<void> {
    await this.#journal.finish(id).catch((err: unknown) => {
      this.#log.warn({ err, id }, 'the end of an operation cannot be stored; it may run again');
    });
  }

  #describe(name: string): string {
    const [before] = [...this.#running].filter((other) => other !== name);
    return before === undefined ? this.#progress() : `waiting for ${before}`;
  }
}
