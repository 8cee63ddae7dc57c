import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { ConcernKind, Finding } from './concerns.ts';

/** Something that is wrong for longer than it can be normal. */
export interface Concern {
  kind: ConcernKind;
  subject: string;
  /** When it was first seen, ISO 8601. */
  since: string;
  text: string;
}

interface Kept {
  concern: Concern;
  /** Monotonic, in milliseconds. */
  firstSeen: number;
  /** It has lasted, and was logged. */
  raised: boolean;
}

/** Remembers since when something is wrong; logs it once when it has lasted, and once when it is over. */
export class ConcernKeeper {
  readonly #clock: Clock;
  readonly #log: Logger;
  #kept = new Map<string, Kept>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** What concerns somebody now, the oldest first. */
  get concerns(): Concern[] {
    return [...this.#kept.values()]
      .filter(({ raised }) => raised)
      .sort((a, b) => a.firstSeen - b.firstSeen)
      .map(({ concern }) => concern);
  }

  /**
   * Takes what is wrong at this moment.
   *
   * @returns in how many milliseconds the next of it will have lasted too long; null when none will.
   */
  look(findings: readonly Finding[]): number | null {
    const now = this.#clock.monotonic();
    const before = this.#kept;
    this.#kept = new Map();
    let nextMs: number | null = null;
    for (const { kind, subject, text, patienceMs } of findings) {
      const key = `${kind} ${subject}`;
      if (this.#kept.has(key)) continue;
      const since = new Date(this.#clock.wall()).toISOString();
      const known = before.get(key) ?? {
        concern: { kind, subject, since, text },
        firstSeen: now,
        raised: false,
      };
      before.delete(key);
      const kept: Kept = { ...known, concern: { ...known.concern, text } };
      this.#kept.set(key, kept);
      const leftMs = kept.raised ? Infinity : kept.firstSeen + patienceMs - now;
      if (leftMs <= 0) this.#raise(kept);
      else if (leftMs < (nextMs ?? Infinity)) nextMs = leftMs;
    }
    for (const { concern, firstSeen, raised } of before.values()) {
      const { kind, subject } = concern;
      const seconds = Math.round((now - firstSeen) / 1000);
      if (raised) this.#log.info({ concern: kind, subject, seconds }, 'a concern is over');
    }
    return nextMs;
  }

  #raise(kept: Kept): void {
    kept.raised = true;
    const { kind, subject, text } = kept.concern;
    this.#log.warn({ concern: kind, subject }, text);
  }
}
