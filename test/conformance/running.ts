import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/base/clock.ts';
import { withDeadline } from '../../src/base/wait.ts';
import { endOf, type ChildEnd } from '../peers/child-end.ts';

/** A process that a test has started. */
export class Running {
  readonly #child: ChildProcess;
  readonly #text: () => string;
  readonly #ended: Promise<ChildEnd>;

  constructor(child: ChildProcess, text: () => string) {
    this.#child = child;
    this.#text = text;
    this.#ended = endOf(child);
  }

  /** All it has printed so far, standard output and standard error together. */
  get text(): string {
    return this.#text();
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with how it ended; rejects when it has not within `seconds`, a safety net. */
  end(seconds = 60): Promise<ChildEnd> {
    const late = (): Error =>
      new Error(`${this.#child.spawnfile} still runs after ${seconds} s: ${this.text}`);
    return withDeadline(systemClock, seconds * 1000, this.#ended, late);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.send('SIGKILL');
    await this.end();
  }
}
