import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../src/base/errors.ts';
import { until } from '../../helpers/until.ts';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import { endOf } from '../child-end.ts';
import { identify, killTrees, processTree, type ProcessIdentity } from '../processes.ts';

/** What is in a container beyond the /usr of this machine. */
export interface ContainerOptions {
  /** Its folder; `root` below becomes its root directory. */
  directory: string;
  /** Folders and files of this machine that it sees, each at the same place. */
  folders: string[];
  /** Its root directory is a whole Debian: it does not see the /usr of this machine. */
  isWhole?: boolean;
  /** The file of a network namespace that becomes its own, to change as it likes. Default: the network of this machine. */
  network?: string;
}

const SYSTEM_TARGET = `[Unit]
Description=What this container is for
Requires=basic.target systemd-journald.service
After=basic.target
`;

/**
 * A container of systemd-nspawn in which systemd is booted: the /usr of this machine read-only, an
 * /etc and /var of its own, and the network of this machine. It is no login machine: nothing runs in
 * it but systemd and its journal.
 */
export class Container {
  readonly root: string;
  readonly #groups: string[];
  readonly #nspawn: ChildProcess;
  readonly #init: ProcessIdentity;

  private constructor(root: string, groups: string[], nspawn: ChildProcess, init: ProcessIdentity) {
    this.root = root;
    this.#groups = groups;
    this.#nspawn = nspawn;
    this.#init = init;
  }

  /** Writes what a root directory needs to be taken for one of Debian. */
  static makeRoot(root: string): void {
    const folders = ['usr', 'etc/systemd/system', 'var/lib', 'run', 'tmp', 'proc', 'sys', 'dev'];
    for (const folder of folders) mkdirSync(path.join(root, folder), { recursive: true });
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
      symlinkSync(`usr/${name}`, path.join(root, name));
    }
    const files = {
      'os-release': 'ID=debian\n',
      'machine-id': 'uninitialized\n',
      passwd:
        'root:x:0:0:root:/root:/bin/sh\nk2hdkc:x:990:990::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534::/:/bin/sh\n',
      group: 'root:x:0:\nadm:x:4:\nsystemd-journal:x:999:\nk2hdkc:x:990:\nnogroup:x:65534:\n',
      'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
      hosts: '127.0.0.1 localhost\n',
      'systemd/system/default.target': SYSTEM_TARGET,
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(path.join(root, 'etc', name), text);
    }
  }

  /** Boots it; resolves when systemd has reached its target (about 2 s). */
  static async boot({
    directory,
    folders,
    isWhole = false,
    network,
  }: ContainerOptions): Promise<Container> {
    const root = path.join(directory, 'root');
    const log = await open(path.join(directory, 'boot.log'), 'a');
    const groups = makeCgroups(nameOf(root));
    const [command = '', ...args] = nspawnCommand(root, groups, folders, [
      ...(isWhole ? [] : [USR]),
      ...(network === undefined
        ? []
        : [`--network-namespace-path=${network}`, '--capability=CAP_NET_ADMIN']),
      '--boot',
    ]);
    const nspawn = spawn(command, args, {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    await once(nspawn, 'spawn');
    await log.close();
    const own = identify(nspawn.pid ?? 0);
    if (!own) throw new Error(`systemd-nspawn ended at once, see ${directory}/boot.log`);
    try {
      const init = await until('process 1 of the container', () => processTree(own).find(isInit));
      const container = new Container(root, groups, nspawn, init);
      await until('the container is up', async () => {
        const state = await container
          .run('systemctl', 'is-active', 'default.target')
          .catch(() => '');
        return state === 'active';
      });
      return container;
    } catch (error) {
      await killTrees([own]);
      forget(root, groups);
      throw error;
    }
  }

  /** What a command prints, trimmed. Rejects with what it complains of when it fails. */
  async run(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', [...this.#inside, command, ...args], {
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout.trim();
  }

  /** Applies a file of sysctl.d to its IPC namespace, as systemd does at the boot of a machine. */
  async applyKernelParameters(file: string): Promise<void> {
    const inIpc = ['--target', String(this.#init.pid), '--ipc', '--'];
    await promisify(execFile)('nsenter', [...inIpc, '/lib/systemd/systemd-sysctl', file]);
  }

  /** Shuts it down in order; resolves when it is off. */
  async powerOff(): Promise<void> {
    await this.run('systemctl', 'poweroff', '--no-block');
    await endOf(this.#nspawn);
  }

  /** Ends it, in order or not. */
  async close(): Promise<void> {
    const own = identify(this.#nspawn.pid ?? 0);
    if (own && this.#nspawn.exitCode === null) await killTrees([own]);
    forget(this.root, this.#groups);
  }

  get #inside(): string[] {
    const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];
    return ['--target', String(this.#init.pid), '--all', '--', ...environment];
  }
}

/** Whether a process is number 1 of a namespace of its own: systemd-nspawn has another child before. */
function isInit({ pid }: ProcessIdentity): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false; // that other one has ended
  }
}

/**
 * Why this machine does not permit such containers, in words for a person; null when it does. It is
 * tried out with one that ends at once.
 */
export function containersPermitted(): string | null {
  if (process.getuid?.() !== 0) return 'only root may run systemd-nspawn';
  const directory = mkdtempSync(path.join(tmpdir(), 'k2hdkc-try-'));
  const root = path.join(directory, 'root');
  let groups: string[] = [];
  try {
    groups = makeCgroups(nameOf(root));
    Container.makeRoot(root);
    const [command = '', ...args] = nspawnCommand(root, groups, [], [USR, '--', '/bin/true']);
    const tried = spawnSync(command, args, {
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (tried.status === 0) return null;
    return tried.stderr.trim().split('\n').at(-1) ?? `exit code ${String(tried.status)}`;
  } catch (error) {
    return messageOf(error); // no control groups of our own, say
  } finally {
    forget(root, groups);
    rmSync(directory, { recursive: true });
  }
}

/** The /usr of this machine. */
const USR = '--bind-ro=/usr';

/** Goes into control groups of its own, then becomes the container. */
const ENTER =
  'for group in $GROUPS; do echo $$ >"$group/cgroup.procs"; done; exec systemd-nspawn "$@"';

function nspawnCommand(
  root: string,
  groups: string[],
  folders: string[],
  more: string[],
): string[] {
  return [
    ...['env', `GROUPS=${groups.join(' ')}`, 'sh', '-ec', ENTER, 'systemd-nspawn'],
    ...['--quiet', '--register=no', '--keep-unit', '--link-journal=no', '--console=pipe'],
    ...[`--machine=${nameOf(root)}`, `--directory=${root}`],
    ...folders.map((folder) => `--bind=${folder}`),
    ...more,
  ];
}

function nameOf(root: string): string {
  return path.basename(path.dirname(root));
}

/** nspawn leaves a folder behind where /run is not in memory, and its control groups. */
function forget(root: string, groups: string[]): void {
  removeCgroups(groups);
  rmSync(`/run/systemd/nspawn/propagate/${nameOf(root)}`, { recursive: true, force: true });
}
