import type { Clock } from '../../base/clock.ts';
import { isOutcome, type ConductorMessage } from '../../trove/conductor-messages.ts';
import type { SaidMessage } from './said-file.ts';

/** What was delivered, and when it is said again. */
interface Said {
  message: ConductorMessage;
  /** When it was delivered last (monotonic ms). */
  at: number;
  /** When it is said again, the next first (monotonic ms). */
  due: number[];
}

/** The conductor's queue is not durable: what was confirmed so long ago can go with the broker (ms). */
const DOUBTFUL_MS = 60_000;
/** A fault is said a third time, so many times later than the second. */
const LAST_FAULT = 4;
const FAULT = 'fault';
/** So many are remembered, the newest. */
const MOST = 100;

/**
 * What is said again although it was delivered: how backups have ended, faults and ends. The conductor
 * can lose what was confirmed (KeyError in its cache of ten keys), and Trove's taskmanager writes its own
 * fault over that of a failed prepare unless ours is younger than 6 s, at a poll every 5 s or later
 * (docs/contracts/trove.md, 5.4 and 9.3).
 */
export class Repeats {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #said = new Map<string, Said>();

  /**
   * `afterMs` after its delivery a message is said again; at once what an earlier agent has delivered
   * (`before`), because nobody knows what was lost with it.
   */
  constructor(clock: Clock, afterMs: number, before: readonly SaidMessage[] = []) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    const now = clock.monotonic();
    for (const { message, agoMs } of before) {
      const key = subjectOf(message);
      const at = now - agoMs;
      const later = this.#times(message).map((ms) => at + ms);
      const due = [now, ...later.slice(1).filter((time) => time > now)];
      if (key !== null) this.#said.set(key, { message, at, due });
    }
  }

  /** Remembers a message that was delivered; `isAgain` when it is one that was said before. */
  delivered(message: ConductorMessage, isAgain: boolean): void {
    const key = subjectOf(message);
    if (key === null) return;
    const at = this.#clock.monotonic();
    this.#forgetOld(at);
    const known = this.#said.get(key);
    if (isAgain && known === undefined) return;
    const due = isAgain && known ? known.due : this.#times(message).map((ms) => at + ms);
    this.#said.delete(key);
    this.#said.set(key, { message, at, due });
    const [oldest] = this.#said.keys();
    if (oldest !== undefined && this.#said.size > MOST) this.#said.delete(oldest);
  }

  /** What is to be said again now, each once. */
  due(): ConductorMessage[] {
    const now = this.#clock.monotonic();
    const all = [...this.#said.values()].filter(({ due: [next = Infinity] }) => next <= now);
    for (const said of all) said.due = said.due.filter((at) => at > now);
    return all.map(({ message }) => message);
  }

  /** What the loss of a connection can have lost: all that was delivered in the last minute. */
  doubtful(): ConductorMessage[] {
    const since = this.#clock.monotonic() - DOUBTFUL_MS;
    return [...this.#said.values()].filter(({ at }) => at > since).map(({ message }) => message);
  }

  /**
   * Trove has asked for something else: from now on its own fault may be about that, so ours is not said a
   * third time.
   */
  requested(): void {
    const fault = this.#said.get(FAULT);
    if (!fault) return;
    const second = Math.max(fault.at + this.#afterMs, this.#clock.monotonic());
    fault.due = fault.due.filter((at) => at <= second);
  }

  /** What is still to be said again: the next agent's, if this one ends. */
  get pending(): SaidMessage[] {
    const now = this.#clock.monotonic();
    return [...this.#said.values()]
      .filter(({ due }) => due.length > 0)
      .map(({ message, at }) => ({ message, agoMs: now - at }));
  }

  /** Until the next is due (ms); null when none is. */
  get nextInMs(): number | null {
    const times = [...this.#said.values()].flatMap(({ due }) => due);
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - this.#clock.monotonic());
  }

  #times({ method }: ConductorMessage): number[] {
    return method === 'notify_exc_info'
      ? [this.#afterMs, LAST_FAULT * this.#afterMs]
      : [this.#afterMs];
  }

  #forgetOld(now: number): void {
    for (const [key, { at, due }] of this.#said) {
      if (due.length === 0 && now - at >= DOUBTFUL_MS) this.#said.delete(key);
    }
  }
}

/**
 * What a message is about: of two about the same only the newer one is true. An instance has one fault, a
 * backup one outcome, a request one end. Null for what is not said again.
 */
export function subjectOf(message: ConductorMessage): string | null {
  const { method, args } = message;
  switch (method) {
    case 'notify_exc_info':
      return FAULT;
    case 'notify_end':
      return `end ${JSON.stringify(args)}`;
    case 'update_backup':
      return isOutcome(message) ? `backup ${String(args['backup_id'])}` : null;
    case 'heartbeat':
      return null;
  }
}
