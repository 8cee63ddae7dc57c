import type { ProcessIdentity } from '../../peers/processes.ts';
import type { LabVm } from '../../peers/vm/lab-vm.ts';
import type { Lab } from '../../peers/vm/lab.ts';
import type { K2hr3StandIn } from '../../simulators/k2hr3/stand-in.ts';
import type { ClusterPorts, Machine, MachineOutput, MachineProcess, Machines } from './machine.ts';

/** The simulated VMs of a lab. */
export class LabMachines implements Machines {
  readonly description = 'simulated VMs, each with its own network, processes and disk';
  readonly #lab: Lab;
  readonly #environment: Record<string, string>;

  /** @param environment of everything on them, for the stand-ins. */
  constructor(lab: Lab, environment: Record<string, string> = {}) {
    this.#lab = lab;
    this.#environment = environment;
  }

  get hub(): string {
    return this.#lab.hub.address;
  }

  async connect(k2hr3: K2hr3StandIn, brokerPort: number): Promise<void> {
    const door = await this.#lab.hub.listen((socket) => k2hr3.accept(socket));
    k2hr3.advertise(`http://${this.hub}:${door.port}`);
    await this.#lab.hub.relay(brokerPort);
  }

  /** What upstream's dashboard proposes. */
  ports(): Promise<ClusterPorts> {
    return Promise.resolve({ server: 8020, control: 8021, slaveControl: 8031 });
  }

  async add(instanceId: string): Promise<Machine> {
    return new LabMachine(await this.#lab.addVm({ instanceId }), this.#environment);
  }

  remove(machine: Machine): Promise<void> {
    return this.#lab.removeVm(this.#lab.vm(machine.name));
  }

  close(): Promise<void> {
    return this.#lab.close();
  }
}

class LabMachine implements Machine {
  readonly agentArgs = [];
  readonly #vm: LabVm;
  readonly #environment: Record<string, string>;

  constructor(vm: LabVm, environment: Record<string, string>) {
    this.#vm = vm;
    this.#environment = environment;
  }

  get name(): string {
    return this.#vm.name;
  }

  get boot(): string | undefined {
    return this.#vm.bootId;
  }

  path(file: string): string {
    return this.#vm.path(file);
  }

  inside(file: string): string {
    return file;
  }

  start(): Promise<void> {
    return this.#vm.start();
  }

  reboot(): Promise<void> {
    return this.#vm.reboot();
  }

  run(command: string, args: readonly string[], output: string): Promise<MachineProcess> {
    return this.#vm.run(command, [...args], { output, env: this.#environment });
  }

  exec(command: string, args: readonly string[], timeoutMs = 30_000): Promise<MachineOutput> {
    return this.#vm.exec(command, [...args], { timeoutMs });
  }

  process(pid: number): ProcessIdentity | undefined {
    return this.#vm.processes().find((one) => one.pid === pid)?.identity;
  }
}
