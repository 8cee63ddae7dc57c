import type { RingNode } from '../../../src/ring/status.ts';
import { ringWords } from '../../../src/ring/words.ts';

/** What happened in a run, a line each, with the time; lines are made only when somebody reads them. */
export class Transcript {
  readonly #now: () => number;
  readonly #lines: { at: number; text: string }[] | null;

  constructor(now: () => number, isKept: boolean) {
    this.#now = now;
    this.#lines = isKept ? [] : null;
  }

  add(text: () => string): void {
    this.#lines?.push({ at: this.#now(), text: text() });
  }

  /** The ring has changed: of changes at the same moment the last one is kept. */
  addRing(rows: readonly RingNode[]): void {
    const last = this.#lines?.at(-1);
    const text = `      ${ringWords({ servers: rows })}`;
    if (last?.at === this.#now() && last.text.startsWith(' ')) last.text = text;
    else this.#lines?.push({ at: this.#now(), text });
  }

  /** With the time of each line in seconds. */
  timed(): string[] {
    return (this.#lines ?? []).map(
      ({ at, text }) => `${(at / 1_000).toFixed(2).padStart(8)} ${text}`,
    );
  }
}
