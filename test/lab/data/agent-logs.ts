import { open, readdir } from 'node:fs/promises';
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
  /** Bytes of each log that were read, to the end of a line. */
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
    const from = this.#read.get(name) ?? 0;
    const news = await bytesFrom(path.join(this.#directory, name), from);
    const end = news.lastIndexOf('\n');
    if (end < 0) return;
    this.#read.set(name, from + end + 1);
    const at = systemClock.monotonic();
    const node = path.basename(name, '.log');
    for (const text of news.toString('utf8', 0, end).split('\n')) {
      this.lines.push({ at, node, text });
    }
  }
}

/** What a file has from a byte on; nothing when it is not there. */
async function bytesFrom(file: string, from: number): Promise<Buffer> {
  const opened = await open(file).catch(() => null);
  if (opened === null) return Buffer.alloc(0);
  try {
    const { size } = await opened.stat();
    const bytes = Buffer.alloc(Math.max(size - from, 0));
    const { bytesRead } = await opened.read(bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytesRead);
  } finally {
    await opened.close();
  }
}
