import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../../helpers/project-root.ts';
import { identify, isRunning } from '../processes.ts';
import { HUB, MOST_VMS, vmPlace } from './addresses.ts';
import { addHost, makeDisk } from './disk.ts';
import { Hub } from './hub.ts';
import { LabVm } from './lab-vm.ts';
import { endRecorded, readRecord, removeRecord, writeRecord } from './record.ts';
import { SYSTEM_PATH } from './script.ts';

/** How a lab is made. */
export interface LabOptions {
  /** The folder of chmpx and the others, first in the PATH of every VM. Default none. */
  programs?: string;
  /** See `HubOptions`. */
  ownNetwork?: boolean;
}

/** How a VM is made. */
export interface NewVm {
  /** Default `node1`, `node2` …; its host name is `NAME.lab`. */
  name?: string;
  /** Its Nova id. Default a new one. */
  instanceId?: string;
}

/**
 * Several simulated VMs on one network. Everything in it ends with the process that opened it, and
 * what it runs is on record, so that the next one to open the same directory finds it clean.
 *
 *     DIRECTORY/lab.json, hub.log
 *     DIRECTORY/node1/disk      what a VM keeps over a reboot
 *     DIRECTORY/node1/boot.log
 */
export class Lab {
  readonly hub: Hub;
  readonly #directory: string;
  /** Folders of programs, first in the PATH of every VM. */
  readonly #programs: string[];
  readonly #vms: LabVm[] = [];
  #lastNumber = 0;

  private constructor(directory: string, hub: Hub, programs: string[]) {
    this.#directory = directory;
    this.hub = hub;
    this.#programs = programs;
  }

  /** Makes the network. The directory is made if it is not there, and is the caller's to remove. */
  static async open(directory: string, options: LabOptions = {}): Promise<Lab> {
    await mkdir(directory, { recursive: true });
    await cleanUp(directory);
    const { programs, ownNetwork = false } = options;
    const folders = [programs, nodeFolder()].filter((folder) => folder !== undefined);
    const lab = new Lab(directory, await Hub.open({ directory, ownNetwork }), folders);
    lab.#write();
    return lab;
  }

  get vms(): readonly LabVm[] {
    return this.#vms;
  }

  /** The VM of this name; throws when there is none. */
  vm(name: string): LabVm {
    const found = this.#vms.find((vm) => vm.name === name);
    if (found) return found;
    const names = this.#vms.map((vm) => vm.name).join(', ');
    throw new Error(`there is no VM "${name}" (${names || 'there are none'})`);
  }

  /** Makes a VM with an empty disk, which is off. All others know its name from now on. */
  async addVm({ name, instanceId = randomUUID() }: NewVm = {}): Promise<LabVm> {
    const number = this.#lastNumber + 1;
    if (number > MOST_VMS) throw new Error(`a lab has at most ${MOST_VMS} VMs`);
    const { address } = vmPlace(number);
    const record = { name: name ?? `node${number}`, number, address, instanceId, cut: false };
    this.#checkName(record.name);
    this.#lastNumber = number;
    const vm = new LabVm({
      record,
      directory: path.join(this.#directory, record.name),
      hub: this.hub,
      folders: [projectRoot, ...this.#programs],
      programs: this.#programs,
      changed: () => this.#write(),
    });
    const own = hostLine(address, record.name);
    const others = this.#vms.map((other) => hostLine(other.address, other.name));
    const hosts = [hostLine(HUB.address, 'hub'), ...others, own];
    await makeDisk(vm.disk, { hostName: vm.hostName, hosts, instanceId });
    for (const other of this.#vms) await addHost(other.disk, own);
    this.#vms.push(vm);
    this.#write();
    return vm;
  }

  /** Switches a VM off and removes it with its disk. Its name and address are not used again. */
  async removeVm(vm: LabVm): Promise<void> {
    await vm.destroy();
    this.#vms.splice(this.#vms.indexOf(vm), 1);
    this.#write();
  }

  /** Switches everything off. The disks stay for whoever wants to look at them. */
  async close(): Promise<void> {
    await Promise.all(this.#vms.map((vm) => vm.kill()));
    await this.hub.close();
    removeRecord(this.#directory);
  }

  #checkName(name: string): void {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || name === 'hub') {
      throw new Error(`"${name}" cannot be the name of a VM`);
    }
    if (this.#vms.some((vm) => vm.name === name))
      throw new Error(`there is a VM "${name}" already`);
  }

  #write(): void {
    const owner = identify(process.pid);
    if (!owner) throw new Error('this process is not in /proc');
    const vms = this.#vms.map((vm) => vm.record);
    writeRecord(this.#directory, { owner, hub: this.hub.identity, programs: this.#programs, vms });
  }
}

/**
 * Takes away what a lab in this directory left when its process was killed, disks included. Throws
 * when that process still runs.
 */
export async function cleanUp(directory: string): Promise<void> {
  const earlier = readRecord(directory);
  if (!earlier) return;
  if (isRunning(earlier.owner)) {
    throw new Error(`${directory} is the lab of process ${earlier.owner.pid}, which still runs`);
  }
  await endRecorded(earlier);
  for (const { name } of earlier.vms) {
    await rm(path.join(directory, name), { recursive: true, force: true });
  }
  removeRecord(directory);
}

/** Where our own node is, when a VM would not find it by itself. */
function nodeFolder(): string | undefined {
  const folder = path.dirname(process.execPath);
  return SYSTEM_PATH.split(':').includes(folder) ? undefined : folder;
}

function hostLine(address: string, name: string): string {
  return `${address} ${name}.lab ${name}`;
}
