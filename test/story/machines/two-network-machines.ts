import { appendFile, writeFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../../peers/processes.ts';
import { openDoor, openRelay, type Door } from '../../peers/vm/door.ts';
import type { Lab } from '../../peers/vm/lab.ts';
import type { LabVm } from '../../peers/vm/lab-vm.ts';
import { HUB_V6, UserNetwork, type UserNetworkOptions } from '../../peers/vm/user-network.ts';
import type { K2hr3StandIn } from '../../simulators/k2hr3/stand-in.ts';
import { LabMachines } from './lab-machines.ts';
import type { ClusterPorts, Machine, MachineOutput, MachineProcess, Machines } from './machine.ts';

/** How the networks are. */
export interface TwoNetworksOptions extends UserNetworkOptions {
  /** Names that each VM can resolve; default: those of all VMs, at their addresses in the user's network. */
  names?: 'users' | 'management' | 'none';
  /** K2HR3 sees one address, whoever calls. */
  nat?: boolean;
}

/** Simulated VMs as Trove makes them: one port in the management network and one in the user's. */
export class TwoNetworkMachines implements Machines {
  readonly description = 'simulated VMs in two networks';
  readonly network: UserNetwork;
  /** Whether the next machine has a port in the user's network only, as one that Trove has not made. */
  onlyUsers = false;
  readonly #lab: Lab;
  readonly #inner: LabMachines;
  readonly #options: TwoNetworksOptions;
  readonly #doors: Door[] = [];

  private constructor(lab: Lab, network: UserNetwork, options: TwoNetworksOptions) {
    this.#lab = lab;
    this.network = network;
    this.#options = options;
    this.#inner = new LabMachines(lab, { ANTPICKAX_STANDIN_HAZARDS: 'none' });
  }

  static async open(lab: Lab, options: TwoNetworksOptions = {}): Promise<TwoNetworkMachines> {
    return new TwoNetworkMachines(lab, await UserNetwork.open(lab.hub, options), options);
  }

  get hub(): string {
    return this.network.family === 'ipv6' ? `[${HUB_V6}]` : this.#inner.hub;
  }

  async connect(k2hr3: K2hr3StandIn, brokerPort: number): Promise<void> {
    const { pid } = this.#lab.hub.identity;
    const address = this.hub.replace(/[[\]]/g, '');
    const port = Number(new URL(k2hr3.url).port);
    const door = this.#options.nat
      ? await openRelay({ pid, address, port: 0 }, port)
      : await openDoor({ pid, address, port: 0 }, (socket) => k2hr3.accept(socket));
    k2hr3.advertise(`http://${this.hub}:${door.port}`);
    const broker = await openRelay({ pid, address, port: brokerPort }, brokerPort);
    this.#doors.push(door, broker);
  }

  ports(): Promise<ClusterPorts> {
    return this.#inner.ports();
  }

  async add(instanceId: string): Promise<Machine> {
    const inner = await this.#inner.add(instanceId);
    const vm = this.#lab.vm(inner.name);
    const machine = new TwoNetworkMachine(inner, vm, this.network, this.onlyUsers);
    if (!this.onlyUsers) {
      const description = JSON.stringify(this.network.describe(vm.record.number));
      await writeFile(inner.path('/etc/trove/eth1.json'), description);
    }
    for (const { path } of this.#lab.vms.map((one) => ({ path: one.path('/etc/hosts') }))) {
      await writeFile(path, this.#hosts());
    }
    return machine;
  }

  remove(machine: Machine): Promise<void> {
    return this.#inner.remove(machine);
  }

  async close(): Promise<void> {
    await this.#inner.close();
    for (const door of this.#doors) await door.close();
  }

  #hosts(): string {
    const { names = 'users' } = this.#options;
    const lines = this.#lab.vms.flatMap(({ record: { number, address }, name }) => {
      const all = names === 'management' ? [address] : this.network.addressesOf(number);
      return names === 'none' ? [] : all.map((one) => `${one} ${name}.lab ${name}`);
    });
    return ['127.0.0.1 localhost', ...lines].map((line) => `${line}\n`).join('');
  }
}

class TwoNetworkMachine implements Machine {
  readonly agentArgs = [];
  readonly #inner: Machine;
  readonly #vm: LabVm;
  readonly #network: UserNetwork;
  readonly #onlyUsers: boolean;
  #isNew = true;

  constructor(inner: Machine, vm: LabVm, network: UserNetwork, onlyUsers: boolean) {
    this.#inner = inner;
    this.#vm = vm;
    this.#network = network;
    this.#onlyUsers = onlyUsers;
  }

  get name(): string {
    return this.#inner.name;
  }

  get boot(): string | undefined {
    return this.#inner.boot;
  }

  path(file: string): string {
    return this.#inner.path(file);
  }

  inside(file: string): string {
    return this.#inner.inside(file);
  }

  async start(): Promise<void> {
    if (this.#isNew && !this.#onlyUsers) {
      // As Trove's master has it, which Debian's Trove has not yet.
      await appendFile(this.path('/etc/trove/conf.d/guest_info.conf'), 'network_isolation=True\n');
    }
    this.#isNew = false;
    await this.#inner.start();
    await this.#plug();
  }

  async reboot(): Promise<void> {
    await this.#inner.reboot();
    await this.#plug();
  }

  run(command: string, args: readonly string[], output: string): Promise<MachineProcess> {
    return this.#inner.run(command, args, output);
  }

  exec(command: string, args: readonly string[], timeoutMs?: number): Promise<MachineOutput> {
    return this.#inner.exec(command, args, timeoutMs);
  }

  process(pid: number): ProcessIdentity | undefined {
    return this.#inner.process(pid);
  }

  #plug(): Promise<void> {
    return this.#network.plug(this.#vm, this.#vm.record.number, this.#onlyUsers);
  }
}
