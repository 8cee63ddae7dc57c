import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** So many lines of a kind are written in one period. */
const BURST = 10;
/** A period (ms). */
const PERIOD_MS = 60_000;

type Level = 'warn' | 'error';

interface Kind {
  /** In this period. */
  written: number;
  unwritten: number;
  /** The newest that was not written. */
  newest: Record<string, unknown>;
  inAll: number;
}

/**
 * Log lines that others can cause as often as they like: ten of a kind a minute are written, of the
 * rest the newest, with how many there were (`more`, and `inAll` since the start).
 */
export class Seldom {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param text what happened; the same text is the same kind. */
  warn(facts: Record<string, unknown>, text: string): void {
    this.#say('warn', facts, text);
  }

  /** As `warn`, for what Trove or a user loses. */
  error(facts: Record<string, unknown>, text: string): void {
    this.#say('error', facts, text);
  }

  #say(level: Level, facts: Record<string, unknown>, text: string): void {
    const kind = this.#kinds.get(text) ?? { written: 0, unwritten: 0, newest: {}, inAll: 0 };
    this.#kinds.set(text, kind);
    kind.inAll++;
    if (kind.written === BURST) {
      kind.unwritten++;
      kind.newest = facts;
      return;
    }
    if (kind.written++ === 0) this.#clock.after(PERIOD_MS, () => this.#next(level, kind, text));
    this.#log[level](facts, text);
  }

  #next(level: Level, kind: Kind, text: string): void {
    const { unwritten: more, newest, inAll } = kind;
    Object.assign(kind, { written: 0, unwritten: 0, newest: {} });
    if (more > 0) this.#log[level]({ ...newest, more, inAll }, text);
  }
}
