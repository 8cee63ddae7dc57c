import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Launcher, ProgramSpec, RunningProgram } from '../../process/launcher.ts';
import { findPrograms } from '../../process/find-program.ts';
import { cpuMs } from '../../process/proc-stat.ts';
import { stopProgram, type StopSignal } from '../../process/stop.ts';

/** One of the two programs, as it runs now. */
export interface ProgramView {
  generation: string;
  /** How long it has run, as far as this agent knows, in milliseconds. */
  runningMs: number;
}

/** One program that this agent keeps: chmpx or k2hdkc. */
export interface KeptProgramOptions {
  name: 'chmpx' | 'k2hdkc';
  command: string;
  args: string[];
  /** See ProgramSpec. */
  marks: string[];
  uid?: number;
  needs?: string;
  environment?: Record<string, string>;
  /** What ends it, in turn; there is at least one. */
  stopSignals: [StopSignal, ...StopSignal[]];
  launcher: Launcher;
  clock: Clock;
  log: Logger;
  /** It ended although nobody had stopped it: how, and the last lines it wrote. */
  onCrash: (reason: string) => void;
}

/** Starts, adopts and stops one program, and says when it crashed. */
export class KeptProgram {
  readonly #options: KeptProgramOptions;
  #running: RunningProgram | null = null;
  #since = 0;
  #stopping = false;

  constructor(options: KeptProgramOptions) {
    this.#options = options;
  }

  get name(): 'chmpx' | 'k2hdkc' {
    return this.#options.name;
  }

  get running(): RunningProgram | null {
    return this.#running;
  }

  /** What the plan sees of it; null when it does not run. */
  view(): ProgramView | null {
    if (!this.#running) return null;
    return {
      generation: this.#running.spec.generation,
      runningMs: this.#options.clock.monotonic() - this.#since,
    };
  }

  /** The CPU time that it has used since its start, in milliseconds; 0 when it does not run. */
  cpuMs(): number {
    return this.#running ? cpuMs(this.#running.identity.pid) : 0;
  }

  /** Takes over the process that runs already, if there is one, and says whether there is. */
  async adopt(generation: string): Promise<boolean> {
    const program = await this.#options.launcher.adopt(this.#spec(generation));
    if (program) this.#keep(program, 'adopted');
    return program !== null;
  }

  /** @param more what this start has of its own. */
  async start(
    generation: string,
    more: Pick<ProgramSpec, 'readAtStart' | 'folder'> = {},
  ): Promise<void> {
    const spec = { ...this.#spec(generation), ...more };
    this.#keep(await this.#options.launcher.launch(spec), 'started');
  }

  /** The PIDs of processes like it that this agent does not keep: somebody else has started them. */
  strays(): number[] {
    return findPrograms(this.#options).filter((pid) => pid !== this.#running?.identity.pid);
  }

  /** @param patienceMs how long the first signal is given to work; default as configured. */
  async stop(patienceMs?: number): Promise<void> {
    if (!this.#running) return;
    const { stopSignals, clock, log, name } = this.#options;
    const [first, ...more] = stopSignals;
    const signals = [{ ...first, waitMs: patienceMs ?? first.waitMs }, ...more];
    const { pid } = this.#running.identity;
    this.#stopping = true;
    try {
      await stopProgram(this.#running, signals, clock);
      log.info({ program: name, pid }, 'stopped');
      this.#running = null;
    } finally {
      this.#stopping = false;
    }
  }

  #spec(generation: string): ProgramSpec {
    const { name, command, args, marks, uid, needs, environment, stopSignals } = this.#options;
    return {
      name,
      command,
      args,
      marks,
      generation,
      stopSignal: stopSignals[0].signal,
      ...(uid === undefined ? {} : { uid }),
      ...(needs === undefined ? {} : { needs }),
      ...(environment === undefined ? {} : { environment }),
    };
  }

  #keep(program: RunningProgram, how: 'started' | 'adopted'): void {
    const { name, log, clock, onCrash } = this.#options;
    const { pid } = program.identity;
    this.#running = program;
    this.#since = clock.monotonic();
    log.info({ program: name, pid }, how);
    void program.ended.then(async ({ code, signal }) => {
      if (this.#stopping) return;
      const output = await program.lastOutput();
      if (this.#running !== program) return;
      // Gone and counted in the same turn: nobody may start it again without the pause it has earned.
      this.#running = null;
      log.error({ program: name, pid, code, signal, output }, 'ended by itself');
      onCrash(`${name} ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`}): ${output}`);
    });
  }
}
