import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProcesses } from '../../../src/process/identity.ts';
import { endOf } from '../../peers/child-end.ts';
import { freePorts } from '../../peers/free-ports.ts';
import { identify, killTrees, type ProcessIdentity } from '../../peers/processes.ts';
import type { ClusterPorts, Machine, MachineOutput, MachineProcess, Machines } from './machine.ts';

/** The first one; addresses below are for others. */
const FIRST = 11;
/** Folders that Trove's files and the programs expect on a VM. */
const DIRECTORIES = ['etc/trove/conf.d', 'etc/antpickax', 'etc/k2hdkc-guest-agent'].concat([
  'var/lib/antpickax/k2hdkc',
  'run',
]);

/** What loopback machines are made with. */
export interface LoopbackMachinesOptions {
  directory: string;
  /** The folder of chmpx and the others. */
  programs: string;
  /** Why there are no simulated VMs, for a person. */
  reason: string;
  /** Added to the environment of everything on them. */
  environment: Record<string, string>;
}

/**
 * Machines for stand-ins where simulated VMs are not permitted: a folder and an address of
 * 127.0.0.0/8 each. A reboot kills everything, but the boot id is that of the real machine.
 */
export class LoopbackMachines implements Machines {
  readonly description: string;
  readonly hub = '127.0.0.1';
  readonly #options: LoopbackMachinesOptions;
  readonly #machines: LoopbackMachine[] = [];
  #made = 0;

  constructor(options: LoopbackMachinesOptions) {
    const addresses = `127.0.0.${FIRST}, .${FIRST + 1} …`;
    this.description = `loopback addresses ${addresses} (simulated VMs: ${options.reason})`;
    this.#options = options;
  }

  /** Nothing to do: K2HR3 and the broker listen on 127.0.0.1, which all machines reach. */
  connect(): Promise<void> {
    return Promise.resolve();
  }

  /** Others may play a story at the same addresses at the same time. */
  async ports(): Promise<ClusterPorts> {
    const [server = 0, control = 0, slaveControl = 0] = await freePorts(3);
    return { server, control, slaveControl };
  }

  async add(instanceId: string): Promise<Machine> {
    const name = `node${this.#made + 1}`;
    const machine = new LoopbackMachine({
      ...this.#options,
      name,
      address: `127.0.0.${FIRST + this.#made}`,
      directory: path.join(this.#options.directory, name),
    });
    this.#made += 1;
    await machine.make(instanceId);
    this.#machines.push(machine);
    return machine;
  }

  async remove(machine: Machine): Promise<void> {
    const found = this.#machines.findIndex(({ name }) => name === machine.name);
    const [removed] = this.#machines.splice(found, 1);
    await removed?.kill();
    await rm(machine.path('/'), { recursive: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.kill()));
  }
}

interface LoopbackOptions extends Omit<LoopbackMachinesOptions, 'reason'> {
  name: string;
  address: string;
}

class LoopbackMachine implements Machine {
  readonly name: string;
  readonly #options: LoopbackOptions;
  #boots = 0;
  #on = false;

  constructor(options: LoopbackOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get boot(): string | undefined {
    return this.#on ? String(this.#boots) : undefined;
  }

  get agentArgs(): readonly string[] {
    const file = this.path('/etc/k2hdkc-guest-agent/agent.yaml');
    return ['--config-dir', this.path('/etc/trove/conf.d'), '--config', file];
  }

  path(file: string): string {
    return path.join(this.#options.directory, file);
  }

  inside(file: string): string {
    return this.path(file);
  }

  async make(instanceId: string): Promise<void> {
    for (const one of DIRECTORIES) await mkdir(this.path(one), { recursive: true });
    await writeFile(this.path('instance-id'), `${instanceId}\n`);
    await writeFile(this.path('/etc/k2hdkc-guest-agent/agent.yaml'), this.#agentYaml());
  }

  start(): Promise<void> {
    this.#on = true;
    this.#boots += 1;
    return Promise.resolve();
  }

  async reboot(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends everything that runs on it. */
  async kill(): Promise<void> {
    this.#on = false;
    const own = `${this.#options.directory}/`;
    const named = (argv: string[]): boolean => argv.some((word) => word.startsWith(own));
    // An agent that is about to die may start one more.
    for (let left = findProcesses(named); left.length > 0; left = findProcesses(named)) {
      await killTrees(left.map(identify).filter((one) => one !== undefined));
    }
  }

  async run(command: string, args: readonly string[], output: string): Promise<MachineProcess> {
    const handle = openSync(output, 'a');
    const child = spawn(command, args, {
      cwd: '/',
      env: this.#environment,
      stdio: ['ignore', handle, handle],
      detached: true, // a Ctrl-C in the terminal is for us; we end the agents in order
    });
    closeSync(handle);
    const ended = endOf(child);
    await once(child, 'spawn');
    return { ended, signal: (name) => void child.kill(name) };
  }

  exec(command: string, args: readonly string[], timeoutMs = 30_000): Promise<MachineOutput> {
    const options = { env: this.#environment, timeout: timeoutMs, maxBuffer: 2 ** 26 };
    return new Promise((resolve, reject) => {
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        if (error?.killed === true) reject(new Error(`${command} did not end in time`));
        else resolve({ code: child.exitCode, stdout, stderr });
      });
    });
  }

  process(pid: number): ProcessIdentity | undefined {
    return identify(pid);
  }

  get #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${this.#options.programs}:${process.env['PATH'] ?? ''}`,
      ANTPICKAX_STANDIN_DIR: this.path('/var/lib/antpickax'),
      ANTPICKAX_STANDIN_ADDRESS: this.#options.address,
      ...this.#options.environment,
    };
  }

  #agentYaml(): string {
    const { address } = this.#options;
    return `paths:
  state_dir: ${this.path('/var/lib/k2hdkc-guest-agent')}
  markers_dir: ${this.path('/opt/trove-guestagent')}
  ini_file: ${this.path('/etc/antpickax/k2hdkc.ini')}
  instance_id_file: ${this.path('instance-id')}
  data_dir: ${this.path('/var/lib/antpickax/k2hdkc')}
node: { name: ${address}, source_address: ${address} }
cluster: { control_host: ${address} }
ini:
  k2hdkc: { K2HFILE: ${this.path('/var/lib/antpickax/k2hdkc/k2hdkc.k2h')} }
`;
  }
}
