import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { parseRingStatus, statusWords, type RingStatus } from '../../src/ring/status.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { isRunning, signal, type ProcessIdentity } from '../peers/processes.ts';
import type { Machine, MachineProcess } from './machines/machine.ts';

/** What Trove writes into a VM. */
export interface GuestFiles {
  guestInfoConf: string;
  troveGuestagentConf: string;
  /** agent.yaml; default none. */
  agentYaml?: string;
}

/** `json` lines have times; in `text` ones the journal has them. */
export type LogFormat = 'text' | 'json';

const INI = '/etc/antpickax/k2hdkc.ini';
const PROGRAMS = '/var/lib/k2hdkc-guest-agent/programs';
/** The pause before an agent that ended is started again, as in our systemd unit (ms). */
const RESTART_MS = 2_000;
/** A closed ring lets a request wait for 9 s; more than a few of them in one script are stuck (ms). */
const CLIENT_TIMEOUT_MS = 40_000;
const SERVING = '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';

/** A node of a cluster: a machine and the agent on it. */
export class ClusterMember {
  /** The Trove instance id, which is the Nova id here and so the CUK. */
  readonly id: string;
  readonly machine: Machine;
  /** Clients that got no answer and were started again. */
  stalledClients = 0;
  readonly #logFile: string;
  readonly #logFormat: LogFormat;
  #agent: MachineProcess | null = null;
  /** The agent is to run for as long as the VM does. */
  #isKept = false;

  private constructor(id: string, machine: Machine, logFile: string, logFormat: LogFormat) {
    this.id = id;
    this.machine = machine;
    this.#logFile = logFile;
    this.#logFormat = logFormat;
  }

  /** Writes Trove's files, if any, on the machine's disk and switches it on, without its agent. */
  static async create(
    id: string,
    machine: Machine,
    files: GuestFiles | null,
    logFile: string,
    logFormat: LogFormat = 'text',
  ): Promise<ClusterMember> {
    if (files !== null) {
      const configuration = machine.path('/etc/trove/conf.d');
      await mkdir(configuration, { recursive: true });
      await writeFile(path.join(configuration, 'guest_info.conf'), files.guestInfoConf);
      await writeFile(path.join(configuration, 'trove-guestagent.conf'), files.troveGuestagentConf);
      if (files.agentYaml !== undefined) {
        await writeFile(machine.path('/etc/k2hdkc-guest-agent/agent.yaml'), files.agentYaml);
      }
    }
    await machine.start();
    return new ClusterMember(id, machine, logFile, logFormat);
  }

  get name(): string {
    return this.machine.name;
  }

  /** The agent's log, on the host. */
  get logFile(): string {
    return this.#logFile;
  }

  /** Starts the agent, and starts it again whenever it ends, as our systemd unit does. */
  keepAgent(): void {
    this.#isKept = true;
    const boot = this.machine.boot;
    const keep = async (): Promise<void> => {
      while (this.machine.boot === boot) {
        await this.startAgent();
        await this.#agent?.ended;
        await sleep(systemClock, RESTART_MS);
      }
    };
    keep().catch(() => undefined); // the machine went off meanwhile
  }

  async startAgent(): Promise<void> {
    const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
    const { machine } = this;
    const args = [
      'run',
      ...machine.agentArgs,
      '--log-format',
      this.#logFormat,
      '--log-level',
      'debug',
    ];
    this.#agent = await machine.run(agent, args, this.#logFile);
  }

  /** What `k2hdkc-agent status` says, with its exit code. */
  async agentStatus(...words: string[]): Promise<{ code: number | null; stdout: string }> {
    const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
    const { machine } = this;
    const at = machine.agentArgs.indexOf('--config');
    const config = at < 0 ? [] : machine.agentArgs.slice(at);
    return machine.exec(agent, ['status', ...words, ...config]);
  }

  /** Ends the agent and waits until it is gone. */
  async endAgent(by: NodeJS.Signals): Promise<void> {
    this.#agent?.signal(by);
    await this.#agent?.ended;
    this.#agent = null;
  }

  /** As a power cut and a new start do; the agent starts with the machine, as its unit would. */
  async reboot(): Promise<void> {
    await this.machine.reboot();
    if (this.#isKept) this.keepAgent();
    else await this.startAgent();
  }

  async log(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '');
  }

  /** A program that the agent keeps; undefined when it does not run. */
  async program(name: 'chmpx' | 'k2hdkc'): Promise<ProcessIdentity | undefined> {
    const file = this.machine.path(`${PROGRAMS}/${name}.json`);
    const record = await readFile(file, 'utf8').catch(() => undefined);
    if (record === undefined) return undefined;
    const { identity } = JSON.parse(record) as { identity: { pid: number } };
    const found = this.machine.process(identity.pid);
    return found && isRunning(found) ? found : undefined;
  }

  async kill(name: 'chmpx' | 'k2hdkc'): Promise<void> {
    const victim = await this.program(name);
    if (!victim) throw new Error(`${name} does not run on ${this.name}`);
    signal(victim, 'SIGKILL');
    await until(`${name} on ${this.name} is gone`, () => !isRunning(victim), { everyMs: 2 });
  }

  /** The ring as this node sees it; undefined when chmpx does not run. */
  async ring(): Promise<RingStatus | undefined> {
    const { stdout } = await this.machine.exec('chmpxstatus', ['-conf', this.machine.inside(INI)]);
    try {
      return parseRingStatus(stdout);
    } catch {
      return undefined;
    }
  }

  /**
   * Runs lines with k2hdkclinetool; gives all that it printed. A slave's chmpx now and then does not
   * read a socket any more on which a server's answers wait (real chmpx 1.0.113: 600 kB of them, in
   * a ring in which all is well). Then another client may be served, or none before chmpx has been
   * started again: both are tried, once each, and counted.
   */
  async keyTool(lines: readonly string[]): Promise<string> {
    const { machine } = this;
    const script = '/var/lib/antpickax/keys.script';
    await writeFile(machine.path(script), [...lines, 'exit'].map((line) => `${line}\n`).join(''));
    const words = ['-conf', machine.inside(INI), '-perm', '-run', machine.inside(script)];
    for (let tries = 1; ; tries += 1) {
      try {
        const { stdout, stderr } = await machine.exec('k2hdkclinetool', words, CLIENT_TIMEOUT_MS);
        return stdout + stderr;
      } catch (error) {
        if (tries === 3) throw error;
        this.stalledClients += 1;
        if (tries === 2) await this.#restartChmpx();
      }
    }
  }

  /** Kills chmpx, and waits until the agent has it up again. */
  async #restartChmpx(): Promise<void> {
    await this.kill('chmpx');
    const isUp = async (): Promise<boolean> => (await this.ring())?.self.live === 'UP';
    await until(`chmpx on ${this.name} is up again`, isUp);
  }

  /** Whether this is a slave that is up and sees exactly `count` servers that serve. */
  async followsServing(count: number): Promise<boolean> {
    const ring = await this.ring();
    if (ring?.self.ring !== 'SLAVE' || ring.self.live !== 'UP') return false;
    return servingAndNoOther(ring, count);
  }

  /**
   * Whether the node serves, and sees exactly `count` servers that serve. A server that has left is
   * kept in the list as out and down until the next change.
   */
  async seesServing(count: number): Promise<boolean> {
    const ring = await this.ring();
    if (!ring || statusWords(ring.self) !== SERVING) return false;
    return servingAndNoOther(ring, count);
  }
}

function servingAndNoOther({ servers }: RingStatus, count: number): boolean {
  const rows = servers.map((server) => statusWords(server));
  const serving = rows.filter((words) => words === SERVING).length;
  const gone = rows.filter((words) => words.startsWith('[SERVICE OUT][DOWN]')).length;
  return serving === count && serving + gone === rows.length;
}
