import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Outcome, RingHost, RingHosts } from './ring-host.ts';
import { Running } from './running.ts';
import type { Program, Subject } from './subject.ts';

/** The first one; addresses below are for others. */
const FIRST = 11;

/**
 * Hosts for stand-ins: an address of 127.0.0.0/8 and a directory for each (see the README.md of
 * the stand-ins). It works wherever tests work.
 */
export class LoopbackHosts implements RingHosts {
  readonly #subject: Subject;
  readonly #directory: string;
  readonly #hosts: LoopbackHost[] = [];

  constructor(subject: Subject, directory: string) {
    this.#subject = subject;
    this.#directory = directory;
  }

  add(): Promise<RingHost> {
    const address = `127.0.0.${FIRST + this.#hosts.length}`;
    const host = new LoopbackHost(this.#subject, path.join(this.#directory, address), address);
    this.#hosts.push(host);
    return Promise.resolve(host);
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
  }
}

class LoopbackHost implements RingHost {
  readonly address: string;
  environment: Record<string, string> = {};
  readonly #subject: Subject;
  readonly #directory: string;
  readonly #running: Running[] = [];

  constructor(subject: Subject, directory: string, address: string) {
    this.#subject = subject;
    this.#directory = directory;
    this.address = address;
    mkdirSync(path.join(directory, 'base'), { recursive: true });
  }

  get name(): string {
    return this.address;
  }

  write(name: string, text: string): string {
    const file = path.join(this.#directory, name);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    return file;
  }

  dataFile(name: string): string {
    return path.join(this.#directory, name);
  }

  start(program: Program, words: readonly string[]): Promise<Running> {
    const output = path.join(this.#directory, `output.${this.#running.length}`);
    const handle = openSync(output, 'w');
    const child = spawn(this.#subject.program(program), words, {
      cwd: this.#directory,
      env: {
        ...process.env,
        ANTPICKAX_STANDIN_DIR: path.join(this.#directory, 'base'),
        ANTPICKAX_STANDIN_ADDRESS: this.address,
        ...this.environment,
      },
      stdio: ['ignore', handle, handle],
    });
    closeSync(handle);
    const running = new Running(child, () => readFileSync(output, 'utf8'));
    this.#running.push(running);
    return Promise.resolve(running);
  }

  async run(program: Program, words: readonly string[], seconds = 60): Promise<Outcome> {
    const running = await this.start(program, words);
    const { code } = await running.end(seconds);
    return { code, text: running.text };
  }

  ask(ctlport: number, command: string, address = this.address): Promise<string> {
    const socket = net.connect({ port: ctlport, host: address, localAddress: this.address });
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => {
        resolve(answer);
      });
      socket.write(command);
    });
  }

  async close(): Promise<void> {
    for (const running of this.#running.toReversed()) await running.kill();
  }
}
