import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';

/** One step of a story and how it went. */
export interface Row {
  title: string;
  /** Since the beginning of the timeline. */
  at: number;
  seconds: number;
  seen: string;
  ok: boolean;
}

/** Prints each step of a story as it happens, with the time since the start, and a table at the end. */
export class Timeline {
  readonly #print: (line: string) => void;
  readonly #start = systemClock.monotonic();
  readonly #rows: Row[] = [];

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** The steps that were begun, in their order. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Whether every step that was begun was seen to happen. */
  get ok(): boolean {
    return this.#rows.length > 0 && this.#rows.every((row) => row.ok);
  }

  /** Does a step; what it returns is what was seen. A step that throws ends the story. */
  async step(title: string, work: () => Promise<string>): Promise<void> {
    const at = this.#elapsed();
    const seconds = (): number => this.#elapsed() - at;
    try {
      const seen = (await work()).replaceAll(/\s*\n\s*/g, ' ');
      this.#rows.push({ title, at, seconds: seconds(), seen, ok: true });
      this.#print(`[${this.#now()}] ✔ ${title}: ${seen}`);
    } catch (error) {
      this.#rows.push({ title, at, seconds: seconds(), seen: messageOf(error), ok: false });
      this.#print(`[${this.#now()}] ✘ ${title}: ${messageOf(error)}`);
      throw error;
    }
  }

  /** The table of all steps: when each began, how long it took, what was seen. */
  table(): string {
    const width = Math.max(...this.#rows.map(({ title }) => title.length));
    const line = ({ title, at, seconds, seen, ok }: Row): string => {
      const when = `${at.toFixed(1).padStart(6)} s + ${seconds.toFixed(2).padStart(6)} s`;
      return `${ok ? 'ok  ' : 'FAIL'}  ${title.padEnd(width)}  ${when}  ${seen}`;
    };
    return this.#rows.map(line).join('\n');
  }

  #now(): string {
    return this.#elapsed().toFixed(2).padStart(6);
  }

  /** In seconds. */
  #elapsed(): number {
    return (systemClock.monotonic() - this.#start) / 1000;
  }
}
