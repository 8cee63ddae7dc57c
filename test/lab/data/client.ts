import { execFile } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { projectRoot } from '../../helpers/project-root.ts';
import type { KeyTool } from '../../helpers/ring-keys.ts';
import type { LabProcess } from '../../peers/vm/lab-process.ts';

/** What became of one request. `failed`: no server answered for it. */
export interface Answer {
  result: 'ok' | 'missing' | 'failed';
  ms: number;
  value: string;
}

/** One client of the ring: one request after the other, as a thread of an application. */
export interface RingClient {
  request(line: string): Promise<Answer>;
  close(): Promise<void>;
}

const LIBRARIES = ['-lk2hdkc', '-lchmpx', '-lk2hash', '-lfullock'];

/** Compiles `ring-client.cc` against the installed k2hdkc; gives the program. */
export async function compileClient(directory: string): Promise<string> {
  const program = path.join(directory, 'ring-client');
  const source = path.join(projectRoot, 'test/lab/data/ring-client.cc');
  await promisify(execFile)('g++', ['-std=c++17', '-O1', '-o', program, source, ...LIBRARIES]);
  return program;
}

/** A ring-client that runs. */
export class ProgramClient implements RingClient {
  readonly #run: LabProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(run: LabProcess) {
    if (!run.stdout || !run.stdin) throw new Error('a client without pipes');
    this.#run = run;
    this.#lines = createInterface({ input: run.stdout })[Symbol.asyncIterator]();
  }

  async request(line: string): Promise<Answer> {
    this.#run.stdin?.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer.done === true) throw new Error('the client of the ring ended');
    const [result = 'failed', microseconds = '0', value = ''] = answer.value.split(' ');
    return { result: result as Answer['result'], ms: Number(microseconds) / 1000, value };
  }

  async close(): Promise<void> {
    const { stdin } = this.#run;
    if (stdin) {
      stdin.end();
      await once(stdin, 'close');
    }
    await this.#run.ended;
  }
}

/** A client that is made for each request, where nothing can be compiled against the programs. */
export class ToolClient implements RingClient {
  readonly #tool: KeyTool;

  constructor(tool: KeyTool) {
    this.#tool = tool;
  }

  async request(line: string): Promise<Answer> {
    const [verb, key = ''] = line.split(' ');
    const start = performance.now();
    const text = await this.#tool([verb === 'get' ? `print ${key}` : line]);
    const ms = performance.now() - start;
    if (text.includes('[ERR]')) return { result: 'failed', ms, value: '' };
    if (verb === 'set') return { result: 'ok', ms, value: '' };
    const value = new RegExp(`"${key}" => "(.*)"\\n`).exec(text)?.[1];
    return value === undefined ? { result: 'missing', ms, value: '' } : { result: 'ok', ms, value };
  }

  async close(): Promise<void> {}
}
