import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { readRingStatus } from '../../src/ring/tools.ts';
import { statusWords } from '../../src/ring/status.ts';
import { findProcesses } from '../../src/process/identity.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { identify, isRunning, signal, type ProcessIdentity } from '../peers/processes.ts';

import type { Programs } from './programs.ts';

/** What a VM has on its disk before its agent starts for the first time. */
export interface VmFiles {
  /** Its folder; everything it has is below. */
  directory: string;
  guestInfoConf: string;
  troveGuestagentConf: string;
  /** The Nova id, which is the CUK. */
  instanceId: string;
  /** agent.yaml beyond the paths that make this VM one of its own. */
  agentYaml?: string;
  programs: Programs;
  /** Added to the agent's environment. */
  environment: Record<string, string>;
}

/** The two programs that the agent keeps. */
export type Program = 'chmpx' | 'k2hdkc';

/**
 * A VM as the agent sees one: its own configuration, state, markers and instance id, in a folder.
 * The agent is the built product, run as a process.
 */
export class Vm {
  readonly #files: VmFiles;
  #agent: ChildProcess | null = null;
  #destroyed = false;

  private constructor(files: VmFiles) {
    this.#files = files;
  }

  static async create(files: VmFiles): Promise<Vm> {
    const vm = new Vm(files);
    await mkdir(vm.path('conf.d'), { recursive: true });
    await mkdir(vm.dataDirectory, { recursive: true });
    await writeFile(vm.path('conf.d/guest_info.conf'), files.guestInfoConf);
    await writeFile(vm.path('conf.d/trove-guestagent.conf'), files.troveGuestagentConf);
    await writeFile(vm.path('instance-id'), `${files.instanceId}\n`);
    await writeFile(vm.path('agent.yaml'), `${vm.#agentYaml()}${files.agentYaml ?? ''}`);
    return vm;
  }

  get dataDirectory(): string {
    return this.path('data');
  }

  get iniFile(): string {
    return this.path('k2hdkc.ini');
  }

  get agentPid(): number | undefined {
    return this.#agent?.pid;
  }

  path(name: string): string {
    return path.join(this.#files.directory, name);
  }

  /** Starts the agent; its log goes to `agent.log`. Does not wait for anything. */
  async startAgent(): Promise<void> {
    // A story that was interrupted may still be on its way here.
    if (this.#destroyed) throw new Error('this VM is destroyed');
    const { programs, environment } = this.#files;
    const folder = path.dirname(programs.program('chmpx'));
    const log = await open(this.path('agent.log'), 'a');
    const child = spawn(
      path.join(projectRoot, 'bin/k2hdkc-agent'),
      ['run', '--config-dir', this.path('conf.d'), '--config', this.path('agent.yaml')],
      {
        cwd: '/',
        env: {
          ...process.env,
          PATH: `${folder}:${process.env['PATH'] ?? ''}`,
          ...programs.environment,
          ...environment,
        },
        // As a service manager without a journal does it: the agent finds its log there.
        stdio: ['ignore', log.fd, log.fd],
        // A Ctrl-C in the terminal is for us; we end the agents in order.
        detached: true,
      },
    );
    await once(child, 'spawn');
    await log.close();
    this.#agent = child;
  }

  /**
   * Ends the agent by a signal, waits until it is gone, and returns its exit code, or the signal that
   * killed it. Throws when it had ended by itself before, unless it is killed: then nobody minds.
   */
  async endAgent(by: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<number | string | null> {
    const agent = this.#agent;
    if (!agent) return null;
    this.#agent = null;
    if (agent.exitCode === null && agent.signalCode === null) {
      const gone = once(agent, 'exit');
      agent.kill(by);
      await gone;
    } else if (by !== 'SIGKILL') {
      const how = `code ${String(agent.exitCode)}, signal ${String(agent.signalCode)}`;
      const lines = (await this.log()).trimEnd().split('\n').slice(-5);
      throw new Error(`the agent had ended by itself (${how}): ${lines.join(' | ')}`);
    }
    return agent.exitCode ?? agent.signalCode;
  }

  /** The agent's whole log so far. */
  async log(): Promise<string> {
    return readFile(this.path('agent.log'), 'utf8').catch(() => '');
  }

  /** Waits for a line of the agent's log that was written after the first `after` characters. */
  async untilLog(pattern: RegExp, after = 0): Promise<string> {
    return until(`a log line like ${String(pattern)} in ${this.path('agent.log')}`, async () => {
      const lines = (await this.log()).slice(after).split('\n');
      return lines.find((line) => pattern.test(line));
    });
  }

  /** The process of a program, by the agent's own record; undefined when it does not run. */
  program(name: Program): ProcessIdentity | undefined {
    const file = this.path(`state/programs/${name}.json`);
    if (!existsSync(file)) return undefined;
    const { identity } = JSON.parse(readFileSync(file, 'utf8')) as { identity: ProcessIdentity };
    return isRunning(identity) ? identity : undefined;
  }

  /** Kills a program with SIGKILL. */
  kill(name: Program): void {
    const victim = this.program(name);
    if (victim === undefined) throw new Error(`${name} does not run`);
    signal(victim, 'SIGKILL');
  }

  /** chmpx's own words for the status of this node; undefined when chmpx does not run. */
  async status(): Promise<string | undefined> {
    const { programs } = this.#files;
    const status = await readRingStatus({
      command: programs.program('chmpxstatus'),
      conf: this.iniFile,
      timeoutMs: 5_000,
      env: programs.environment,
    }).catch(() => null);
    return status ? statusWords(status.self) : undefined;
  }

  /** Waits until the node is in service; returns the seconds that took. */
  async untilServing(): Promise<number> {
    const start = systemClock.monotonic();
    await until(`${this.#files.directory} is in service`, async () => {
      const words = await this.status();
      return words === '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';
    });
    return (systemClock.monotonic() - start) / 1000;
  }

  /** Ends everything that this VM runs, gently or not. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    await this.endAgent('SIGKILL');
    for (const name of ['k2hdkc', 'chmpx'] as const) {
      const left = this.program(name);
      if (left === undefined) continue;
      signal(left, 'SIGKILL');
      await until(`${name} is gone`, () => !isRunning(left));
    }
    // An agent that was killed just after it started one had no time to note it.
    for (const pid of findProcesses((argv) => argv.includes(this.iniFile))) {
      const left = identify(pid);
      if (left) signal(left, 'SIGKILL');
    }
  }

  #agentYaml(): string {
    return [
      'paths:',
      `  state_dir: ${this.path('state')}`,
      `  markers_dir: ${this.path('markers')}`,
      `  ini_file: ${this.iniFile}`,
      `  instance_id_file: ${this.path('instance-id')}`,
      `  shared_dir: ${this.#files.programs.sharedDirectory}`,
      'node:',
      '  name: 127.0.0.1',
      '  source_address: 127.0.0.1',
      'log:',
      '  level: debug',
      '',
    ].join('\n');
  }
}
