import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { systemClock } from '../../../src/base/clock.ts';
import { withDeadline } from '../../../src/base/wait.ts';
import { killTrees, processTree } from '../processes.ts';
import { vmPlace } from './addresses.ts';
import { bootEnvironment, NEW_NAMESPACES } from './boot.ts';
import { DISK_DIRECTORIES, DISK_FILES, isOnDisk } from './disk.ts';
import type { Hub } from './hub.ts';
import type { ChildEnd } from '../child-end.ts';
import { LabProcess, type RunOptions } from './lab-process.ts';
import { processesIn, type VmProcess } from './namespaces.ts';
import type { VmRecord } from './record.ts';
import { startHolder, SYSTEM_PATH } from './script.ts';

/** What a VM gets from its lab. */
export interface LabVmOptions {
  record: VmRecord;
  /** Its folder; `disk` below is what it keeps. */
  directory: string;
  hub: Hub;
  /** Folders of the host that it sees, read-only. */
  folders: string[];
  /** Folders that come first in its PATH. */
  programs: string[];
  /** Called after every change of the record. */
  changed: () => void;
}

/** What a command in a VM did. */
export interface ExecResult extends ChildEnd {
  stdout: string;
  stderr: string;
}

/** How long a command may take, in milliseconds, unless the caller says otherwise. */
const EXEC_TIMEOUT_MS = 30_000;

/**
 * A simulated VM: network, mount, UTS, IPC and PID namespaces of its own, and a disk. It shares
 * nothing with the host or another VM but the network of the lab (and the clock).
 */
export class LabVm {
  readonly #options: LabVmOptions;

  constructor(options: LabVmOptions) {
    this.#options = options;
  }

  /** What is known of it; changes as it goes on and off. */
  get record(): VmRecord {
    return this.#options.record;
  }

  get name(): string {
    return this.record.name;
  }

  /** `NAME.lab`, which every VM of the lab can resolve. */
  get hostName(): string {
    return `${this.name}.lab`;
  }

  get address(): string {
    return this.record.address;
  }

  /** Its identifier of this boot; undefined when it is off. */
  get bootId(): string | undefined {
    return this.record.boot?.bootId;
  }

  /** The path on the host of its disk. */
  get disk(): string {
    return path.join(this.#options.directory, 'disk');
  }

  /**
   * The path on the host for a path in the VM. What is on the disk is always there; anything else
   * can be reached only while the VM is on.
   */
  path(file: string): string {
    return isOnDisk(file)
      ? path.join(this.disk, file)
      : path.join(`/proc/${this.#init}/root`, file);
  }

  /** Switches it on; resolves when commands can be run in it (0.1 s). */
  async start(): Promise<void> {
    if (this.record.boot) throw new Error(`${this.name} is on already`);
    const { directory, hub, folders } = this.#options;
    const root = path.join(directory, 'root');
    await mkdir(root, { recursive: true });
    const bootId = randomUUID();
    const { identity: power } = await startHolder({
      name: 'boot.sh',
      prefix: NEW_NAMESPACES,
      args: folders,
      env: bootEnvironment({
        hub: hub.namespace,
        number: this.record.number,
        cut: this.record.cut,
        hostName: this.hostName,
        bootId,
        disk: this.disk,
        directories: DISK_DIRECTORIES,
        files: DISK_FILES,
        root,
      }),
      logFile: path.join(directory, 'boot.log'),
    });
    const [, init] = processTree(power);
    if (!init) throw new Error(`${this.name} went off as soon as it was on`);
    this.record.boot = { bootId, power, init };
    this.#options.changed();
  }

  /** Starts a process in it; resolves when it runs. */
  run(command: string, args: string[] = [], options: RunOptions = {}): Promise<LabProcess> {
    const env = { ...loginEnvironment(this.#options.programs), ...options.env };
    return LabProcess.start(this.#init, [command, ...args], { ...options, env });
  }

  /** Runs a command to its end. Rejects, and kills it, when that takes too long. */
  async exec(
    command: string,
    args: string[] = [],
    {
      env = {},
      timeoutMs = EXEC_TIMEOUT_MS,
    }: { env?: Record<string, string>; timeoutMs?: number } = {},
  ): Promise<ExecResult> {
    const run = await this.run(command, args, { env });
    const outputs = [run.stdout, run.stderr].map((stream) => (stream ? text(stream) : ''));
    const done = Promise.all([run.ended, ...outputs]);
    const [end, stdout = '', stderr = ''] = await withDeadline(systemClock, timeoutMs, done, () => {
      run.signal('SIGKILL');
      return new Error(`${command} in ${this.name} did not end within ${timeoutMs} ms`);
    });
    return { ...end, stdout, stderr };
  }

  /** Everything that runs in it; nothing when it is off. */
  processes(): VmProcess[] {
    return this.record.boot ? processesIn(this.record.boot.init.pid) : [];
  }

  /** Switches it off as a power cut does; resolves when nothing of it runs any more. */
  async kill(): Promise<void> {
    const { boot } = this.record;
    if (!boot) return;
    // With process 1 everything in its PID namespace ends, and what entered ends with that.
    await killTrees([boot.init, boot.power]);
    delete this.record.boot;
    this.#options.changed();
  }

  /** Off and on again: another boot id, an empty /tmp and /run, the same disk. */
  async reboot(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /**
   * Cuts it off the others and the hub, or connects it again. Nobody is told: the links stay up,
   * connections stay open, and no packet gets through. It stays so over a reboot.
   */
  async partition(cut: boolean): Promise<void> {
    const { port } = vmPlace(this.record.number);
    if (this.record.boot) {
      await this.#options.hub.ip('link', 'set', port, ...(cut ? ['nomaster'] : ['master', 'lab0']));
    }
    this.record.cut = cut;
    this.#options.changed();
  }

  /** Switches it off and removes its disk. Use `Lab.removeVm`. */
  async destroy(): Promise<void> {
    await this.kill();
    await rm(this.#options.directory, { recursive: true, force: true });
  }

  get #init(): number {
    const { boot } = this.record;
    if (!boot) throw new Error(`${this.name} is off`);
    return boot.init.pid;
  }
}

/** What a login shell of root would have. */
export function loginEnvironment(programs: string[]): Record<string, string> {
  const folders = [...programs, SYSTEM_PATH];
  return { PATH: folders.join(':'), HOME: '/root', USER: 'root', LANG: 'C.UTF-8' };
}
