import type { ChildProcess } from 'node:child_process';
import { systemClock } from '../../src/base/clock.ts';
import { withDeadline } from '../../src/base/wait.ts';

/** How a process ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that a test has started. */
export class Running {
  readonly #child: ChildProcess;
  readonly #text: () => string;
  readonly #ended: Promise<End>;

  constructor(child: ChildProcess, text: () => string) {
    this.#child = child;
    this.#text = text;
    this.#ended = new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
      child.once('error', reject);
    });
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
  end(seconds = 60): Promise<End> {
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
