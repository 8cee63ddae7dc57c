import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { freePorts } from '../peers/free-ports.ts';
import { iniText } from './ini.ts';
import { removeQueues } from './message-queues.ts';
import { Running } from './running.ts';
import { resolveSubject, type Program, type Subject } from './subject.ts';

/** What `chmpxstatus -self` says of a node in its settled states. */
export const OUT_ALONE = '[SERVICE OUT][UP][n/a][Nothing][Suspend]';
export const OUT = '[SERVICE OUT][UP][n/a][Nothing][NoSuspend]';
export const IN = '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';
export const IN_ALONE = '[SERVICE IN][UP][n/a][Nothing][Suspend]';
/** What others see of a server that is not there. */
export const DOWN = '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]';
/** What `Lab.status` says when there is no chmpx to ask about. */
export const NONE = 'exit code 1';

interface LabFacts {
  subject: Subject;
  directory: string;
  base: string;
  faults: Record<string, string>;
  ports: readonly number[];
}

/**
 * One node for one test: a group name, ports, a directory and an ini of its own, and everything
 * that it started ended by PID when the test is over.
 */
export class Lab {
  readonly group = `conf${randomBytes(4).toString('hex')}`;
  readonly directory: string;
  readonly port: number;
  readonly ctlport: number;
  /** A port that nobody listens on. */
  readonly freePort: number;
  readonly #subject: Subject;
  /** Where `GROUP-CTLPORT.chmpx` is kept. */
  readonly #base: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #running: Running[] = [];

  private constructor({ subject, directory, base, faults, ports }: LabFacts) {
    this.#subject = subject;
    this.directory = directory;
    this.#base = base;
    this.#environment = { ...process.env, ANTPICKAX_STANDIN_DIR: base, ...faults };
    [this.port = 0, this.ctlport = 0, this.freePort = 0] = ports;
  }

  /**
   * Makes a node with a good ini; it is taken down when the test that asked for it is over.
   * `faults` go into the environment of everything it starts.
   */
  static async open(faults: Record<string, string> = {}): Promise<Lab> {
    const subject = resolveSubject();
    const directory = await mkdtemp(path.join(tmpdir(), 'conformance-'));
    const standIns = subject.name === 'stand-ins';
    const base = standIns ? path.join(directory, 'base') : '/var/lib/antpickax';
    await mkdir(base, { recursive: true });
    const lab = new Lab({ subject, directory, base, faults, ports: await freePorts(3) });
    onTestFinished(() => lab.#close());
    lab.publish(lab.ini);
    return lab;
  }

  /** Path of the ini. */
  get file(): string {
    return path.join(this.directory, 'node.ini');
  }

  /** Path of the k2h file that the ini names. */
  get k2hFile(): string {
    return path.join(this.directory, 'node.k2h');
  }

  /** The good ini. */
  get ini(): string {
    return iniText(this);
  }

  /** Replaces the ini by rename, as chmpx needs it. */
  publish(text: string): void {
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }

  /**
   * Starts a program with its output in a file. Without arguments it gets the ini and `-d err`.
   *
   * @param before what starts it, such as `['nice']`. Default: nothing.
   */
  start(
    name: Program,
    words: readonly string[] = ['-conf', this.file, '-d', 'err'],
    before: readonly string[] = [],
  ): Running {
    const output = path.join(this.directory, `output.${this.#running.length}`);
    const handle = openSync(output, 'w');
    const [command = '', ...rest] = [...before, this.#subject.program(name), ...words];
    const child = spawn(command, rest, {
      cwd: this.directory,
      env: this.#environment,
      stdio: ['ignore', handle, handle],
    });
    closeSync(handle);
    const running = new Running(child, () => readFileSync(output, 'utf8'));
    this.#running.push(running);
    return running;
  }

  /** Runs a program that ends by itself, and gives its end with all it printed. */
  async run(
    name: Program,
    words: readonly string[],
  ): Promise<{ code: number | null; text: string }> {
    const running = this.start(name, words);
    const { code } = await running.end();
    return { code, text: running.text };
  }

  /** Runs a command script with a line tool. */
  async script(
    name: Program,
    words: readonly string[],
    ...lines: string[]
  ): ReturnType<Lab['run']> {
    const script = path.join(this.directory, 'script');
    writeFileSync(script, lines.map((line) => `${line}\n`).join(''));
    return this.run(name, [...words, '-run', script]);
  }

  /** The status of this node as `chmpxstatus -self` has it, or NONE. */
  async status(): Promise<string> {
    const { code, text } = await this.run('chmpxstatus', ['-conf', this.file, '-self']);
    if (code !== 0) return `exit code ${String(code)}`;
    return /^ +status += SAFE -> (.*)$/m.exec(text)?.[1] ?? text;
  }

  /** Resolves when the node has this status; rejects after `seconds`, a safety net. */
  async reaches(status: string, seconds = 60): Promise<void> {
    let last = '';
    const there = async (): Promise<boolean> => (last = await this.status()) === status;
    await until(`status ${status}`, there, { seconds }).catch(() => {
      throw new Error(`not ${status} within ${seconds} s, but ${last}`);
    });
  }

  /** Starts chmpx and waits for its shared memory. */
  async startChmpx(): Promise<Running> {
    const chmpx = this.start('chmpx');
    await until('shared memory', async () => (await this.status()) !== NONE);
    return chmpx;
  }

  /** Starts chmpx, then k2hdkc, and waits for SERVICE IN. */
  async serve(): Promise<{ chmpx: Running; k2hdkc: Running }> {
    const chmpx = await this.startChmpx();
    const k2hdkc = this.start('k2hdkc');
    await this.reaches(IN);
    return { chmpx, k2hdkc };
  }

  /** Sends pieces of a command to the control port, 50 ms apart; gives all that came back. */
  async ask(...pieces: string[]): Promise<string> {
    await sleep(systemClock, 150); // closer together some requests take 5 s
    const socket = net.connect(this.ctlport, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await sleep(systemClock, 50);
      if (socket.writable) socket.write(piece);
    }
    await Promise.race([closed, sleep(systemClock, 30_000)]);
    socket.destroy();
    return answer;
  }

  /** Endings of this node's files in the base directory, such as `.chmpx` and `.chmpx.bup`. */
  leftovers(): string[] {
    const stem = `${this.group}-${this.ctlport}`;
    const files = readdirSync(this.#base).filter((name) => name.startsWith(`${stem}.`));
    return files.map((name) => name.slice(stem.length)).sort();
  }

  /** Stops k2hdkc before chmpx, by force where it must be, and removes what they left. */
  async #close(): Promise<void> {
    for (const running of this.#running.toReversed()) await running.kill();
    const own = readdirSync(this.#base).filter((name) => name.startsWith(`${this.group}-`));
    for (const name of own) await rm(path.join(this.#base, name));
    if (this.#subject.name === 'real programs') await removeQueues(this.group);
    await rm(this.directory, { recursive: true });
  }
}
