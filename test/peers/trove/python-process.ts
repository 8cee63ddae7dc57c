import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import * as v from 'valibot';
import { lastLines, startChild } from '../child.ts';
import { killTrees } from '../processes.ts';
import type { ProcessIdentity } from '../processes.ts';

/** Where a Python program of the peer runs. */
export interface PythonOptions {
  /** The module, as after `python3 -m`. */
  module: string;
  args: string[];
  /** What is put on PYTHONPATH. */
  path: string;
  directory: string;
  /** What the program prints outside its messages, its log included. */
  logFile: string;
}

/** What the guest or Trove said when a request failed. */
export interface ErrorDescription {
  className: string;
  message: string;
  /** The failure as the guest sent it; null when the error was made by the caller. */
  remote: RemoteFailure | null;
}

/** The `failure` of an oslo reply (docs/contracts/trove.md, 4.2). */
export interface RemoteFailure {
  class: string;
  module: string;
  message: string;
  tb: string[];
  args: unknown[];
  kwargs: Record<string, unknown>;
}

/** A request to Trove's code failed: its exception, by class name and text. */
export class TrovePeerError extends Error {
  readonly className: string;
  readonly remote: RemoteFailure | null;

  constructor({ className, message, remote }: ErrorDescription) {
    super(message);
    this.name = 'TrovePeerError';
    this.className = className;
    this.remote = remote;
  }
}

const Message = v.union([
  v.looseObject({ event: v.string() }),
  v.object({ request: v.number(), result: v.unknown() }),
  v.object({
    request: v.number(),
    error: v.object({
      className: v.string(),
      message: v.string(),
      remote: v.nullable(
        v.object({
          class: v.optional(v.string(), ''),
          module: v.optional(v.string(), ''),
          message: v.optional(v.string(), ''),
          tb: v.optional(v.array(v.string()), []),
          args: v.optional(v.array(v.unknown()), []),
          kwargs: v.optional(v.record(v.string(), v.unknown()), {}),
        }),
      ),
    }),
  }),
]);

interface Waiter {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** An event of a program, by name, with whatever else it says. */
export type PythonEvent = Record<string, unknown> & { event: string };

/** One of the peer's Python programs: events come out of it, requests are answered by it. */
export class PythonProcess {
  readonly identity: ProcessIdentity;
  readonly events: PythonEvent[] = [];
  readonly #stdin: Writable;
  readonly #logFile: string;
  readonly #requests = new Map<number, Waiter>();
  readonly #eventWaiters = new Map<string, Waiter>();
  #ended = false;
  #lastRequest = 0;

  private constructor(identity: ProcessIdentity, stdin: Writable, logFile: string) {
    this.identity = identity;
    this.#stdin = stdin;
    this.#logFile = logFile;
    stdin.on('error', () => undefined); // the end of the process is noticed on stdout
  }

  /** Starts the program; whether it works shows in its first event. */
  static async start(options: PythonOptions): Promise<PythonProcess> {
    const log = await open(options.logFile, 'a');
    try {
      const child = await startChild('/usr/bin/python3', ['-m', options.module, ...options.args], {
        cwd: options.directory,
        env: {
          PATH: '/usr/bin:/bin',
          LANG: 'C.UTF-8',
          HOME: options.directory,
          PYTHONPATH: options.path,
          PYTHONDONTWRITEBYTECODE: '1',
        },
        stdio: ['pipe', 'pipe', log.fd],
      });
      const { stdin, stdout } = child.process;
      if (stdin === null || stdout === null) throw new Error('A Python process without pipes');
      const python = new PythonProcess(child.identity, stdin, options.logFile);
      const lines = createInterface({ input: stdout });
      lines.on('line', (line) => python.#take(line));
      lines.once('close', () => void python.#end());
      return python;
    } finally {
      await log.close();
    }
  }

  /** Resolves when the event has come or comes; rejects when the process ends instead. */
  async event(name: string): Promise<void> {
    if (this.events.some(({ event }) => event === name)) return;
    if (this.#ended) throw await this.#endError();
    await new Promise((resolve, reject) => this.#eventWaiters.set(name, { resolve, reject }));
  }

  /** Has the program run a command. Any number of requests can be under way. */
  async request(command: string, args: Record<string, unknown>): Promise<unknown> {
    if (this.#ended) throw await this.#endError();
    const request = ++this.#lastRequest;
    this.write({ request, command, args });
    return new Promise((resolve, reject) => this.#requests.set(request, { resolve, reject }));
  }

  /** Writes one line to the program. */
  write(message: unknown): void {
    this.#stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends the process and all that it started. */
  async stop(): Promise<void> {
    await killTrees([this.identity]);
  }

  #take(line: string): void {
    const message = v.parse(Message, JSON.parse(line));
    if ('event' in message) {
      this.events.push(message);
      this.#eventWaiters.get(message.event)?.resolve(undefined);
      this.#eventWaiters.delete(message.event);
      return;
    }
    const waiter = this.#requests.get(message.request);
    this.#requests.delete(message.request);
    if ('error' in message) waiter?.reject(new TrovePeerError(message.error));
    else waiter?.resolve(message.result);
  }

  async #end(): Promise<void> {
    this.#ended = true;
    const waiters = [...this.#requests.values(), ...this.#eventWaiters.values()];
    this.#requests.clear();
    this.#eventWaiters.clear();
    if (waiters.length === 0) return;
    const error = await this.#endError();
    for (const { reject } of waiters) reject(error);
  }

  async #endError(): Promise<Error> {
    return new Error(`Trove's code ended; it said last:\n${await lastLines(this.#logFile)}`);
  }
}
