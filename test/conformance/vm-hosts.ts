import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { withDeadline } from '../../src/base/wait.ts';
import type { ChildEnd } from '../peers/child-end.ts';
import type { LabProcess } from '../peers/vm/lab-process.ts';
import type { LabVm } from '../peers/vm/lab-vm.ts';
import { Lab } from '../peers/vm/lab.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import type { HostProcess, Outcome, RingHost, RingHosts } from './ring-host.ts';
import type { Program, Subject } from './subject.ts';

/** Where files of a test are in a VM: on its disk, as chmpx needs them. */
const PLACE = '/var/lib/antpickax/conformance';

/**
 * Hosts for real programs, which take no address of 127.0.0.0/8 but the first for their own, and
 * disturb each other when several share an address: simulated VMs.
 */
export class VmHosts implements RingHosts {
  readonly #lab: Lab;
  readonly #subject: Subject;

  private constructor(lab: Lab, subject: Subject) {
    this.#lab = lab;
    this.#subject = subject;
  }

  /** Throws where simulated VMs are not permitted: no statement is ever skipped. */
  static async open(subject: Subject, directory: string): Promise<VmHosts> {
    const problem = namespacesPermitted();
    if (problem !== null) throw new Error(`Rings of real programs need simulated VMs: ${problem}`);
    const programs = path.dirname(subject.program('chmpx'));
    return new VmHosts(await Lab.open(directory, { programs }), subject);
  }

  async add(): Promise<RingHost> {
    const vm = await this.#lab.addVm();
    await vm.start();
    return new VmHost(vm, this.#subject);
  }

  async close(): Promise<void> {
    await this.#lab.close();
  }
}

class VmHost implements RingHost {
  environment: Record<string, string> = {};
  readonly #vm: LabVm;
  readonly #subject: Subject;
  #outputs = 0;

  constructor(vm: LabVm, subject: Subject) {
    this.#vm = vm;
    this.#subject = subject;
    mkdirSync(vm.path(PLACE), { recursive: true });
  }

  get address(): string {
    return this.#vm.address;
  }

  get name(): string {
    return this.#vm.hostName;
  }

  write(name: string, text: string): string {
    const inside = path.join(PLACE, name);
    const file = this.#vm.path(inside);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    return inside;
  }

  dataFile(name: string): string {
    return path.join(PLACE, name);
  }

  async start(program: Program, words: readonly string[]): Promise<HostProcess> {
    this.#outputs += 1;
    const output = this.#vm.path(path.join(PLACE, `output.${this.#outputs}`));
    const options = { env: this.environment, output };
    const run = await this.#vm.run(this.#subject.program(program), [...words], options);
    return new VmProcess(program, run, output);
  }

  async run(program: Program, words: readonly string[], seconds = 60): Promise<Outcome> {
    const { code, stdout, stderr } = await this.#vm.exec(
      this.#subject.program(program),
      [...words],
      { env: this.environment, timeoutMs: seconds * 1000 },
    );
    return { code, text: stdout + stderr };
  }

  async ask(ctlport: number, command: string, address = this.address): Promise<string> {
    const script = 'exec 3<>"/dev/tcp/$0/$1" && printf %s "$2" >&3 && cat <&3';
    const words = ['-c', script, address, String(ctlport), command];
    return (await this.#vm.exec('bash', words)).stdout;
  }
}

class VmProcess implements HostProcess {
  readonly #name: string;
  readonly #run: LabProcess;
  readonly #output: string;
  #ended: ChildEnd | undefined;

  constructor(name: string, run: LabProcess, output: string) {
    this.#name = name;
    this.#run = run;
    this.#output = output;
    void run.ended.then((end) => (this.#ended = end));
  }

  get text(): string {
    return readFileSync(this.#output, 'utf8');
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  get pid(): number | undefined {
    return this.#run.identity?.pid;
  }

  send(signal: NodeJS.Signals): void {
    this.#run.signal(signal);
    // The nsenter that waits for it has stopped with it.
    if (signal === 'SIGCONT') process.kill(parentOf(this.#run.identity?.pid), signal);
  }

  end(seconds = 60): Promise<ChildEnd> {
    return withDeadline(
      systemClock,
      seconds * 1000,
      this.#run.ended,
      () => new Error(`${this.#name} still runs after ${seconds} s: ${this.text}`),
    );
  }
}

function parentOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
}
