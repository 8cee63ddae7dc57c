import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { lastLines, startChild, type Child } from '../peers/child.ts';

const run = promisify(execFile);

/** This machine, as the VM reaches it: what listens on 127.0.0.1 here. */
export const HOST = '10.0.2.2';

/** What a VM is made of. */
export interface VmParts {
  /** The image; it is not written to. */
  image: string;
  /** Size of the data volume, /dev/vdb, such as `1G`. */
  volume: string;
  configDrive: string;
  /** Its disks, console and socket are kept here. */
  directory: string;
}

/** A VM of qemu, emulated: KVM on a machine that is a VM itself may open and not work. */
export class QemuVm {
  readonly #parts: VmParts;
  #child: Child | null = null;

  private constructor(parts: VmParts) {
    this.#parts = parts;
  }

  /** Makes its disks. */
  static async create(parts: VmParts): Promise<QemuVm> {
    const vm = new QemuVm(parts);
    const { image, volume } = parts;
    const backing = ['-b', path.resolve(image), '-F', 'qcow2'];
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, vm.#file('system.qcow2')]);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', vm.#file('volume.qcow2'), volume]);
    return vm;
  }

  #file(name: string): string {
    return path.join(this.#parts.directory, name);
  }

  /** Starts it; does not wait for anything in it. */
  async boot(): Promise<void> {
    const disk = (file: string, format: string, more = ''): string[] => [
      '-drive',
      `file=${file},format=${format},if=virtio${more}`,
    ];
    const log = await open(this.#file('qemu.log'), 'a');
    this.#child = await startChild(
      'qemu-system-x86_64',
      [
        ...['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off', '-smp', '2', '-m', '1024'],
        ...['-display', 'none', '-nic', 'user,model=virtio-net-pci'],
        ...['-chardev', `file,id=console,path=${this.#file('console.log')},append=on`],
        ...['-serial', 'chardev:console'],
        ...['-qmp', `unix:${this.#file('qmp')},server=on,wait=off`],
        ...disk(this.#file('system.qcow2'), 'qcow2', ',cache=unsafe'),
        ...disk(this.#file('volume.qcow2'), 'qcow2'),
        ...disk(this.#parts.configDrive, 'raw', ',readonly=on'),
      ],
      {
        cwd: this.#parts.directory,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    await log.close();
  }

  /** Presses the power button, and waits until it is off. */
  async powerDown(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const off = once(child.process, 'exit');
    await this.#tell('system_powerdown');
    await off;
    this.#child = null;
  }

  /** Takes the power away, if it is on. */
  async cutPower(): Promise<void> {
    const child = this.#child;
    if (child?.process.exitCode !== null || child.process.signalCode !== null) return;
    const off = once(child.process, 'exit');
    child.process.kill('SIGKILL');
    await off;
    this.#child = null;
  }

  /** The end of what its console and qemu have said. */
  async lastLines(count: number): Promise<string> {
    const files = ['console.log', 'qemu.log'].map((name) => lastLines(this.#file(name), count));
    return (await Promise.all(files)).join('\n');
  }

  async #tell(command: string): Promise<void> {
    const socket = connect(this.#file('qmp'));
    await once(socket, 'connect');
    for (const execute of ['qmp_capabilities', command]) {
      socket.write(`${JSON.stringify({ execute })}\n`);
    }
    socket.end();
    socket.resume();
    await once(socket, 'close');
  }
}
