import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import * as v from 'valibot';
import { lastLines, startChild } from '../child.ts';
import { Asked } from '../child-end.ts';
import { isRunning, killTrees } from '../processes.ts';
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
  readonly #asked = new Asked();
  #over: Promise<void> = Promise.resolve();
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
      lines.on('line', (line) => python.#read(line));
      python.#over = once(lines, 'close').then(() => python.#end());
      return python;
    } finally {
      await log.close();
    }
  }

  /**
   * Resolves when the event has come or comes; rejects when the process ends instead. May be awaited
   * later, as `request` may.
   */
  event(name: string): Promise<unknown> {
    if (this.events.some(({ event }) => event === name)) return Promise.resolve();
    return this.#asked.promise((resolve, reject) => {
      this.#eventWaiters.set(name, { resolve, reject });
    });
  }

  /** Has the program run a command. Any number of requests can be under way. */
  request(command: string, args: Record<string, unknown>): Promise<unknown> {
    return this.#asked.promise((resolve, reject) => {
      const request = ++this.#lastRequest;
      this.#requests.set(request, { resolve, reject });
      this.write({ request, command, args });
    });
  }

  /** Writes one line to the program. */
  write(message: unknown): void {
    this.#stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends the process and all that it started. Rejects when it had ended by itself. */
  async stop(): Promise<void> {
    if (!isRunning(this.identity)) await this.#over;
    await this.#asked.stop(() => killTrees([this.identity]));
  }

  /** A line that is no message ends it for us: an error thrown here would belong to no test. */
  #read(line: string): void {
    try {
      this.#take(v.parse(Message, JSON.parse(line)));
    } catch (error) {
      this.#asked.end(new Error(`Trove's code said what is no message: ${line}`, { cause: error }));
    }
  }

  #take(message: v.InferOutput<typeof Message>): void {
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
    const said = await lastLines(this.#logFile);
    this.#asked.end(new Error(`Trove's code ended; it said last:\n${said}`));
  }
}
