import { sleep, systemClock } from '../../../src/base/clock.ts';
import type { Answer, RingClient } from './client.ts';

/** How much clients ask for while a ring changes. */
export interface LoadOptions {
  writers: number;
  readers: number;
  /** Operations a second of each of them. */
  rate: number;
  /** A request that failed is tried again after so long (ms). */
  retryMs: number;
  /** The keys k0, k1 … that readers ask for. */
  keys: number;
}

/** What clients saw. Times in milliseconds. */
export interface LoadReport {
  operations: number;
  /** Requests without an answer; an operation is tried again until it has one, or for three minutes. */
  failed: number;
  slowestRequest: number;
  /** With its tries. */
  slowestOperation: number;
  /** The longest time in which nobody got an answer. */
  silence: number;
  /** Keys that a reader was told do not exist. */
  missing: number;
  /** Answers that were those of another request. */
  wrong: number;
  acknowledged: number;
  /** Acknowledged writes that were not found afterwards. */
  lost: number;
}

const VALUE = 'v';
/** An operation is not tried for longer: a ring that never answers must not keep the lab for ever (ms). */
const GIVE_UP_MS = 180_000;

/** Clients that write and read at a steady rate for as long as a change goes on. */
export class Load {
  readonly #options: LoadOptions;
  readonly #name: string;
  readonly #running: Promise<void>[];
  readonly #clients: readonly RingClient[];
  readonly #written: string[] = [];
  readonly #report: LoadReport = {
    operations: 0,
    failed: 0,
    slowestRequest: 0,
    slowestOperation: 0,
    silence: 0,
    missing: 0,
    wrong: 0,
    acknowledged: 0,
    lost: 0,
  };
  #answeredAt = systemClock.monotonic();
  #isOver = false;

  /** @param name goes into the names of the keys that are written. */
  constructor(clients: readonly RingClient[], name: string, options: LoadOptions) {
    this.#clients = clients;
    this.#name = name;
    this.#options = options;
    this.#running = clients.map((client, index) => this.#work(client, index));
  }

  /** Ends it, and looks for all that was acknowledged. */
  async end(): Promise<LoadReport> {
    this.#isOver = true;
    await Promise.all(this.#running);
    this.#noteAnswer();
    const [client] = this.#clients;
    const report = { ...this.#report, acknowledged: this.#written.length };
    for (const key of client ? this.#written : []) {
      const { result, value } = await this.#tryAgain(client as RingClient, `get ${key}`, () => {});
      if (result !== 'ok' || value !== VALUE) report.lost += 1;
    }
    return report;
  }

  async #work(client: RingClient, index: number): Promise<void> {
    const { writers, keys, rate } = this.#options;
    const everyMs = 1000 / rate;
    for (let n = 0; !this.#isOver; n += 1) {
      const start = systemClock.monotonic();
      const isWriter = index < writers;
      const key = isWriter ? `${this.#name}.${index}.${n}` : `k${(n * 7919 + index) % keys}`;
      const line = isWriter ? `set ${key} ${VALUE}` : `get ${key}`;
      const { result, value } = await this.#tryAgain(client, line, (answer) => this.#note(answer));
      const took = systemClock.monotonic() - start;
      this.#report.operations += 1;
      this.#report.slowestOperation = Math.max(this.#report.slowestOperation, took);
      if (result === 'missing') this.#report.missing += 1;
      if (!isWriter && result === 'ok' && value !== key.replace('k', 'v')) this.#report.wrong += 1;
      if (isWriter && result === 'ok') this.#written.push(key);
      await sleep(systemClock, Math.max(0, everyMs - took));
    }
  }

  async #tryAgain(
    client: RingClient,
    line: string,
    note: (answer: Answer) => void,
  ): Promise<Answer> {
    const end = systemClock.monotonic() + GIVE_UP_MS;
    for (;;) {
      const answer = await client.request(line);
      note(answer);
      if (answer.result !== 'failed' || systemClock.monotonic() > end) return answer;
      await sleep(systemClock, this.#options.retryMs);
    }
  }

  #note({ result, ms }: Answer): void {
    this.#report.slowestRequest = Math.max(this.#report.slowestRequest, ms);
    if (result === 'failed') this.#report.failed += 1;
    else this.#noteAnswer();
  }

  #noteAnswer(): void {
    const now = systemClock.monotonic();
    this.#report.silence = Math.max(this.#report.silence, now - this.#answeredAt);
    this.#answeredAt = now;
  }
}
