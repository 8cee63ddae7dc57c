import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';

/** One step of a story and how it went. */
interface Row {
  title: string;
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

  /** Whether every step that was begun was seen to happen. */
  get ok(): boolean {
    return this.#rows.length > 0 && this.#rows.every((row) => row.ok);
  }

  /** A line that is no step. */
  note(text: string): void {
    this.#print(`[${this.#elapsed()}]   ${text}`);
  }

  /** Does a step; what it returns is what was seen. A step that throws ends the story. */
  async step(title: string, work: () => Promise<string>): Promise<void> {
    const start = systemClock.monotonic();
    const seconds = (): number => (systemClock.monotonic() - start) / 1000;
    try {
      const seen = (await work()).replaceAll(/\s*\n\s*/g, ' ');
      this.#rows.push({ title, seconds: seconds(), seen, ok: true });
      this.#print(`[${this.#elapsed()}] ✔ ${title}: ${seen}`);
    } catch (error) {
      this.#rows.push({ title, seconds: seconds(), seen: messageOf(error), ok: false });
      this.#print(`[${this.#elapsed()}] ✘ ${title}: ${messageOf(error)}`);
      throw error;
    }
  }

  /** The table of all steps. */
  table(): string {
    const width = Math.max(...this.#rows.map(({ title }) => title.length));
    const line = ({ title, seconds, seen, ok }: Row): string =>
      `${ok ? 'ok  ' : 'FAIL'}  ${title.padEnd(width)}  ${seconds.toFixed(2).padStart(7)} s  ${seen}`;
    return this.#rows.map(line).join('\n');
  }

  #elapsed(): string {
    const seconds = (systemClock.monotonic() - this.#start) / 1000;
    return seconds.toFixed(2).padStart(6);
  }
}
