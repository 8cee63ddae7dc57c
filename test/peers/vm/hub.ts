import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { killTrees, type ProcessIdentity } from '../processes.ts';
import { HUB } from './addresses.ts';
import { hubEnvironment } from './boot.ts';
import { openDoor, openRelay, type Door } from './door.ts';
import { startHolder, SYSTEM_PATH } from './script.ts';

/** How a hub is made. */
export interface HubOptions {
  /** Gets the hub's log. */
  directory: string;
  /**
   * Whether this process has a network namespace of its own already (`unshare --net`), which then
   * becomes the hub's: what listens on the hub's address is reached by the VMs without a door.
   * Default false.
   */
  ownNetwork?: boolean;
}

/**
 * The network that the VMs of a lab are plugged into: a bridge in a network namespace with no way
 * out. Nothing of the host's own network is seen or changed. It ends with this process.
 */
export class Hub {
  /** The process that holds the namespace. */
  readonly identity: ProcessIdentity;
  readonly address = HUB.address;
  readonly #doors = new Set<Door>();

  private constructor(identity: ProcessIdentity) {
    this.identity = identity;
  }

  static async open({ directory, ownNetwork = false }: HubOptions): Promise<Hub> {
    const { identity } = await startHolder({
      name: 'hub.sh',
      prefix: ownNetwork ? [] : ['unshare', '--net', '--'],
      env: hubEnvironment(),
      logFile: path.join(directory, 'hub.log'),
    });
    return new Hub(identity);
  }

  /** The file that stands for its network namespace. */
  get namespace(): string {
    return `/proc/${this.identity.pid}/ns/net`;
  }

  /** Runs ip(8) in the hub. */
  async ip(...args: string[]): Promise<void> {
    const command = [`--net=${this.namespace}`, '--', 'ip', ...args];
    await promisify(execFile)('nsenter', command, { env: { PATH: SYSTEM_PATH } });
  }

  /**
   * Listens on the hub's address; the connections arrive in this process, wherever it runs, with
   * the VM's own address as `remoteAddress`. A free port unless one is given.
   */
  listen(onConnection: (socket: Socket) => void, port = 0): Promise<Door> {
    return this.#keep(openDoor(this.#place(port), onConnection));
  }

  /** Makes a port of 127.0.0.1 of this process reachable at the hub's address, by the same number. */
  relay(port: number): Promise<Door> {
    return this.#keep(openRelay(this.#place(port), port));
  }

  /** Closes all doors and ends the hub; the VMs should be off. */
  async close(): Promise<void> {
    await Promise.all([...this.#doors].map((door) => door.close()));
    await killTrees([this.identity]);
  }

  #place(port: number): { pid: number; address: string; port: number } {
    return { pid: this.identity.pid, address: this.address, port };
  }

  async #keep(opening: Promise<Door>): Promise<Door> {
    const door = await opening;
    const kept: Door = {
      port: door.port,
      close: async () => {
        if (this.#doors.delete(kept)) await door.close();
      },
    };
    this.#doors.add(kept);
    return kept;
  }
}
