import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { sleep, systemClock } from '../../../src/base/clock.ts';

/** A line of an agent's log, and when it was there (ms of the monotonic clock). */
export interface LogLine {
  at: number;
  node: string;
  text: string;
}

const LOOK_MS = 20;

/** Follows the logs of all agents of a lab, the agents that come later included. */
export class AgentLogs {
  readonly lines: LogLine[] = [];
  readonly #directory: string;
  readonly #read = new Map<string, number>();
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#running = this.#follow();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const names = await readdir(this.#directory).catch(() => []);
      for (const name of names.filter((one) => one.endsWith('.log'))) await this.#look(name);
      await sleep(systemClock, LOOK_MS);
    }
  }

  async #look(name: string): Promise<void> {
    const text = await readFile(path.join(this.#directory, name), 'utf8').catch(() => '');
    const from = this.#read.get(name) ?? 0;
    const to = text.lastIndexOf('\n') + 1;
    if (to <= from) return;
    this.#read.set(name, to);
    const at = systemClock.monotonic();
    const node = path.basename(name, '.log');
    for (const line of text.slice(from, to - 1).split('\n'))
      this.lines.push({ at, node, text: line });
  }
}
