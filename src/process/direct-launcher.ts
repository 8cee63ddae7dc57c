import { spawn } from 'node:child_process';
import { open, readFile, rename, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { makePrivateDirectory, writeFileAtomic } from '../host/atomic-file.ts';
import { findProcesses, identify, isAlive, type ProcessIdentity } from './identity.ts';
import type { Launcher, ProcessEnd, ProgramSpec, RunningProgram } from './launcher.ts';
import { lastLines } from './last-lines.ts';

/** What a direct launcher works with. */
export interface DirectLauncherOptions {
  /** Where records and output files live. */
  directory: string;
  bootId: string;
  clock: Clock;
  /** How often an adopted process is looked at, in milliseconds. */
  adoptedPollMs: number;
}

/** An output file larger than this is moved aside before the next start. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

interface ProcessRecord {
  identity: ProcessIdentity;
  generation: string;
}

/**
 * Runs each program in a process group of its own with its output in a file, so that no end of the
 * agent, however hard, reaches it: survival rule 1 of the design.
 */
export class DirectLauncher implements Launcher {
  readonly #options: DirectLauncherOptions;

  constructor(options: DirectLauncherOptions) {
    this.#options = options;
  }

  async launch(spec: ProgramSpec): Promise<RunningProgram> {
    await makePrivateDirectory(this.#options.directory).catch(() => undefined); // see #record
    const { pid, ended } = await this.#spawn(spec);
    const identity = identify(pid, this.#options.bootId) ?? {
      pid, // it has ended already; `ended` tells
      startTicks: 'gone',
      bootId: this.#options.bootId,
    };
    await this.#record(spec, identity);
    return this.#running(spec, identity, ended, false);
  }

  async adopt(spec: ProgramSpec): Promise<RunningProgram | null> {
    const known = (await this.#readRecord(spec)) ?? this.#findUnrecorded(spec);
    if (!known) return null;
    const { identity, generation } = known;
    const ended = this.#pollUntilGone(identity);
    return this.#running({ ...spec, generation }, identity, ended, true);
  }

  async #spawn(spec: ProgramSpec): Promise<{ pid: number; ended: Promise<ProcessEnd> }> {
    const output = await this.#openOutput(spec);
    try {
      const child = spawn(spec.command, spec.args, {
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        cwd: '/',
      });
      // Listened for from the start: a program that ends at once is over before the next await is.
      const ended = new Promise<ProcessEnd>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (cause) =>
          reject(
            new AgentError(
              'cannot-start',
              `cannot start ${spec.name}: ${spec.command} could not be executed; install it or set programs.${spec.name} in agent.yaml`,
              { cause, retryable: true },
            ),
          ),
        );
      });
      child.unref();
      return { pid: child.pid ?? 0, ended };
    } finally {
      await output.close();
    }
  }

  /** A directory that cannot be written must not keep the database down: its output is lost then. */
  async #openOutput(spec: ProgramSpec): Promise<FileHandle> {
    const file = this.#outputFile(spec);
    try {
      const size = await stat(file).then(
        (found) => found.size,
        () => 0,
      );
      if (size > OUTPUT_LIMIT_BYTES) await rename(file, `${file}.1`);
      return await open(file, 'a', 0o600);
    } catch {
      return open('/dev/null', 'a');
    }
  }

  /** Without a record the next agent finds the process by its command line, see `#findUnrecorded`. */
  async #record(spec: ProgramSpec, identity: ProcessIdentity): Promise<void> {
    const record: ProcessRecord = { identity, generation: spec.generation };
    try {
      await writeFileAtomic(this.#recordFile(spec), JSON.stringify(record));
    } catch {
      // The process runs: to call that a failure would get it a second one beside it.
    }
  }

  async #readRecord(spec: ProgramSpec): Promise<ProcessRecord | null> {
    try {
      const text = await readFile(this.#recordFile(spec), 'utf8');
      const record = JSON.parse(text) as ProcessRecord;
      const { identity } = record;
      return identity.bootId === this.#options.bootId && isAlive(identity) ? record : null;
    } catch {
      return null; // none, or none that is of use
    }
  }

  /**
   * An agent killed between the start of a process and its record leaves one that only its command
   * line tells about. A second chmpx on the same ports would ruin it (chmpx-k2hdkc contract,
   * section 4), so it is looked for.
   */
  #findUnrecorded(spec: ProgramSpec): ProcessRecord | null {
    const program = path.basename(spec.command);
    const [pid] = findProcesses((argv) => {
      const start = argv.slice(0, 2).findIndex((word) => path.basename(word) === program);
      const args = argv.slice(start + 1);
      return start >= 0 && JSON.stringify(args) === JSON.stringify(spec.args);
    });
    const identity = pid === undefined ? null : identify(pid, this.#options.bootId);
    return identity && { identity, generation: spec.generation };
  }

  #running(
    spec: ProgramSpec,
    identity: ProcessIdentity,
    ended: Promise<ProcessEnd>,
    adopted: boolean,
  ): RunningProgram {
    return {
      spec,
      identity,
      adopted,
      ended,
      signal: (name) => isAlive(identity) && sendSignal(identity.pid, name),
      lastOutput: () => lastLines(this.#outputFile(spec)),
    };
  }

  #pollUntilGone(identity: ProcessIdentity): Promise<ProcessEnd> {
    const { clock, adoptedPollMs } = this.#options;
    return new Promise((resolve) => {
      const look = (): void => {
        if (isAlive(identity)) clock.after(adoptedPollMs, look);
        else resolve({ code: null, signal: null });
      };
      look();
    });
  }

  #recordFile(spec: ProgramSpec): string {
    return path.join(this.#options.directory, `${spec.name}.json`);
  }

  #outputFile(spec: ProgramSpec): string {
    return path.join(this.#options.directory, `${spec.name}.out`);
  }
}

function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it ended in between
  }
}
