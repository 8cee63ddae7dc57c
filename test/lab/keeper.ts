import { rm } from 'node:fs/promises';
import { messageOf } from '../../src/base/errors.ts';
import { killTrees } from '../peers/processes.ts';
import { childrenOf } from '../peers/vm/namespaces.ts';
import { Lab } from '../peers/vm/lab.ts';
import { LabCluster } from './cluster.ts';
import { serveControl, type Request, type Say } from './control.ts';
import { controlSocket } from './directory.ts';

/** What `lab up` tells the process that keeps the lab. */
export interface KeeperOptions {
  directory: string;
  /** The folder of chmpx and the others. */
  programs: string;
  /** VMs only: no control plane, no agents. */
  bare: boolean;
}

/** What the keeper tells `lab up` while it starts; it may be asked when it is ready. */
export type KeeperMessage = { line: string } | { ready: true } | { failed: string };
/** What `lab up` tells the keeper before it goes: do not end with me. */
export const STAY = 'stay';

/**
 * Keeps a lab alive in the background. It was started with a network namespace of its own, which is
 * the lab's hub. Everything that the lab is ends with this process, however it ends.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #lab: Lab;
  readonly #cluster: LabCluster | null;

  private constructor(options: KeeperOptions, lab: Lab, cluster: LabCluster | null) {
    this.#options = options;
    this.#lab = lab;
    this.#cluster = cluster;
  }

  static async open(options: KeeperOptions, say: Say): Promise<Keeper> {
    const { directory, programs, bare } = options;
    const lab = await Lab.open(directory, { programs, ownNetwork: true });
    const cluster = bare ? null : await LabCluster.open(lab, directory, say);
    return new Keeper(options, lab, cluster);
  }

  /** Does what is asked. */
  async handle(request: Request, say: Say): Promise<void> {
    switch (request.command) {
      case 'grow':
        await this.#grow(request.to, say);
        break;
      case 'list':
        await this.#list(say);
        break;
      case 'reboot':
        if (this.#cluster) await this.#cluster.reboot(request.node);
        else await this.#lab.vm(request.node).reboot();
        say(`${request.node} booted: ${this.#lab.vm(request.node).bootId ?? 'off'}`);
        break;
      case 'partition':
        await this.#lab.vm(request.node).partition(request.cut);
        say(`${request.node} is ${request.cut ? 'cut off' : 'connected'}`);
        break;
      case 'down':
        setImmediate(() => void endKeeper(this.#options.directory, 0));
        say('going down');
        break;
    }
  }

  async #grow(to: number, say: Say): Promise<void> {
    const missing = to - this.#lab.vms.length;
    if (missing <= 0) {
      say(`there are ${this.#lab.vms.length} VMs already`);
      return;
    }
    if (this.#cluster) {
      await this.#cluster.addNodes(missing, say);
      return;
    }
    for (let index = 0; index < missing; index++) {
      const vm = await this.#lab.addVm();
      await vm.start();
      say(`${vm.name} booted`);
    }
  }

  async #list(say: Say): Promise<void> {
    const header = ['NAME', 'ADDRESS', 'LINK', 'BOOT', 'PROCESSES', 'CHMPX', 'TROVE'];
    const rows = await Promise.all(
      this.#lab.vms.map(async (vm) => [
        vm.name,
        vm.address,
        vm.record.cut ? 'cut' : 'up',
        vm.bootId?.slice(0, 8) ?? 'off',
        String(vm.processes().length),
        ...((await this.#cluster?.statusOf(vm.name)) ?? []),
      ]),
    );
    const table = [header.slice(0, rows[0]?.length), ...rows];
    const width = (column: number): number =>
      Math.max(...table.map((row) => (row[column] ?? '').length));
    for (const row of table) {
      say(
        row
          .map((cell, column) => cell.padEnd(width(column)))
          .join('  ')
          .trimEnd(),
      );
    }
  }
}

/** The whole life of the process that keeps a lab; it is told to end by a signal or by `lab down`. */
export async function keepLab(options: KeeperOptions): Promise<void> {
  const { directory } = options;
  const tell = (message: KeeperMessage): void => {
    if (process.connected) process.send?.(message);
  };
  const end = (): void => void endKeeper(directory, 1);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, end);
  process.once('disconnect', end); // `lab up` has ended before its time
  process.on('message', (message) => {
    if (message === STAY) process.off('disconnect', end);
  });
  try {
    const keeper = await Keeper.open(options, (line) => tell({ line }));
    await serveControl(controlSocket(directory), (request, say) => keeper.handle(request, say));
    tell({ ready: true });
  } catch (error) {
    tell({ failed: messageOf(error) });
    end();
  }
}

/** Kills all that this process has started, VMs and peers, removes the directory, and exits. */
async function endKeeper(directory: string, code: number): Promise<void> {
  await killTrees(childrenOf(process.pid));
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  process.exit(code);
}
