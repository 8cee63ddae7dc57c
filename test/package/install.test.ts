import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { Container, containersPermitted } from '../peers/nspawn/container.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';
import {
  buildPackages,
  CONFIGURATION,
  furnish,
  inRoot,
  minimalDebian,
  otherVersion,
  standInPackages,
  type Packages,
} from './guest-image.ts';

const reason = containersPermitted();
if (reason !== null) {
  process.stderr.write(`NOT TESTED: the packages, no container can be booted here: ${reason}\n`);
}

const AGENT = 'k2hdkc-guest-agent.service';
const STATE = '/var/lib/k2hdkc-guest-agent';
const DATA = '/var/lib/k2hdkc/data/k2hdkc.k2h';
/** On a VM of its own every node would have this name; this one is alone. */
const OWN_YAML =
  'node: { name: 127.0.0.1, source_address: 127.0.0.1 }\npaths: { data_dir: /var/lib/k2hdkc/data }\n';
/** As an unattended upgrade: what the operator has changed stays. */
const DPKG = ['dpkg', '--force-confdef', '--force-confold', '--install'] as const;
/** What no image works without, and how check-image names it, if not by its own name. */
const NEEDED: [name: string, what?: string][] = [
  ...['k2hdkc-agent', 'chmpx', 'chmpxstatus', 'k2hdkc', 'k2hlinetool'].map((name): [string] => [
    `usr/bin/${name}`,
  ]),
  ['usr/lib/sysctl.d/60-k2hdkc.conf', '/usr/lib/sysctl.d/60-k2hdkc.conf'],
  ['usr/bin/mount'],
  ['usr/sbin/blkid'],
  ['usr/sbin/mkfs.ext4'],
];
/** Packages are built, and the first time a Debian is. */
const BUILD_MS = 900_000;

describe.runIf(reason === null)('the packages in a minimal Debian', () => {
  let directory: string;
  let root: string;
  let packages: Packages;
  let standInDebs: string[];
  let stage: Stage;
  let actor: Actor;
  let container: Container;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-package-test-'));
    root = path.join(directory, 'root');
    packages = await buildPackages(path.join(directory, 'packages'));
    await minimalDebian(root);
    const programs = await standIns(directory);
    stage = await Stage.open(new Broker(inject('broker')), directory, programs);
    actor = await stage.actor('package', { k2hFile: DATA });
    standInDebs = await standInPackages(directory, path.dirname(programs.program('chmpx')));
  }, BUILD_MS);

  afterEach(async (test) => {
    if (test.task.result?.state !== 'fail') return;
    process.stderr.write(
      await container.run('journalctl', '--no-pager', '--output=short-monotonic'),
    );
  });
  afterAll(async () => {
    await (container as Container | undefined)?.close();
    await (stage as Stage | undefined)?.close();
    await rm(directory, { recursive: true });
  });

  const file = (name: string): string => path.join(root, name);
  const exists = (name: string): Promise<boolean> =>
    stat(file(name)).then(
      () => true,
      () => false,
    );
  /** Puts a package to where the image sees it; returns its name there. */
  const bring = async (deb: string): Promise<string> => {
    await copyFile(deb, file(`root/${path.basename(deb)}`));
    return `/root/${path.basename(deb)}`;
  };
  const install = async (deb: string): Promise<string> => container.run(...DPKG, await bring(deb));
  const mainPid = (unit: string) =>
    container.run('systemctl', 'show', '--value', '--property=MainPID', unit);
  /** Of chmpx and k2hdkc, which must run. */
  const pids = async (): Promise<string[]> => {
    const units = ['k2hdkc-guest-chmpx', 'k2hdkc-guest-k2hdkc'];
    const found = await Promise.all(units.map((unit) => mainPid(unit)));
    expect(found).not.toContain('0');
    return found;
  };
  const ping = () => stage.trove.api(actor.id, 'rpc_ping', {}, { timeout: 60 });
  /** Installs while Trove calls without a pause; nobody may notice it but the agent's process. */
  const changesNothingBut = async (deb: string): Promise<void> => {
    const before = await pids();
    const agent = await mainPid(AGENT);
    const over = new AbortController();
    const calls = (async () => {
      const answers = [await ping()];
      while (!over.signal.aborted) answers.push(await ping());
      return answers;
    })();
    await install(deb).finally(() => over.abort());
    expect(new Set(await calls)).toEqual(new Set([true]));
    await until('another agent', async () => {
      const now = await mainPid(AGENT);
      return now !== agent && now !== '0';
    });
    expect(await ping()).toBe(true);
    expect(await pids()).toEqual(before);
    expect(await readFile(file(CONFIGURATION), 'utf8')).toBe(OWN_YAML);
  };

  /** Runs a script of packer/ in the image, which is not booted; resolves with all that it prints. */
  const script = (name: string, ...words: string[]): Promise<string> =>
    inRoot(root, 'sh', '-c', `sh /root/${name} ${words.join(' ')} 2>&1 || echo "exit code $?"`);
  /** What check-image says that is not right. */
  const complaints = async (): Promise<string[]> =>
    (await script('check-image')).split('\n').filter((line) => !/^(ok|this image)/.test(line));

  it('are installed by packer/provision, without a network and without starting anything', async () => {
    const scripts = ['provision', 'clean', 'check-image'];
    for (const name of scripts) {
      await copyFile(path.join(projectRoot, 'packer', name), file(`root/${name}`));
    }
    await rm(file('etc/apt/sources.list'), { force: true });
    await rm(file('etc/apt/sources.list.d'), { recursive: true, force: true });
    await mkdir(file('root/debs'));
    expect(await script('provision', '/root/debs')).toContain(
      '/root/debs has no k2hdkc-guest-agent_*_all.deb',
    );
    for (const deb of [packages.agent, packages.runtime, ...standInDebs]) {
      await copyFile(deb, file(`root/debs/${path.basename(deb)}`));
    }
    expect(await script('provision', '/root/debs')).toMatch(/provision: done$/);
    expect(await exists('usr/sbin/policy-rc.d')).toBe(false);
    expect(await inRoot(root, 'k2hdkc-agent', '--version')).toMatch(/^k2hdkc-agent \d/);
    expect(await inRoot(root, 'systemctl', 'is-enabled', AGENT)).toBe('enabled');
    expect(await inRoot(root, 'stat', '-c', '%a', `/${CONFIGURATION}`)).toBe('600');
    expect(await exists('usr/lib/k2hdkc-guest-agent/dist/k2hdkc-agent.cjs.compiled')).toBe(true);
    expect(await inRoot(root, 'id', '-gn', 'k2hdkc')).toBe('k2hdkc');
  });

  it('make an image of which packer/check-image says what is missing', async () => {
    expect(await complaints()).toEqual([
      'MISSING  cloud-init is missing: nobody writes /etc/trove/conf.d',
      'note     no mkfs.xfs: volumes of volume_fstype xfs cannot be used (package xfsprogs)',
      'note     no ip(8): a VM in two networks has no source routes (package iproute2)',
      'note     nothing keeps the time: TLS and the order of statuses depend on it (package systemd-timesyncd)',
      'exit code 1',
    ]);
    await writeFile(file('usr/bin/cloud-init'), '#!/bin/sh\n', { mode: 0o755 });
    const right = await complaints();
    expect(right.map((line) => line.split(' ')[0])).toEqual(['note', 'note', 'note']);

    const add = async (name: string, text = 'x', mode = 0o644): Promise<void> => {
      await mkdir(path.dirname(file(name)), { recursive: true });
      await writeFile(file(name), text, { mode });
    };
    const unit = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
    await add('usr/bin/trove-guestagent', '#!/bin/sh\n', 0o755);
    await add('lib/systemd/system/chmpx.service', unit);
    await inRoot(root, 'systemctl', '--quiet', 'enable', 'chmpx.service');
    await add('etc/machine-id', '0123456789abcdef0123456789abcdef\n');
    await add('etc/ssh/ssh_host_rsa_key');
    await add('var/lib/k2hdkc-guest-agent/desired.json');
    await add('etc/trove/conf.d/guest_info.conf');
    await add('var/lib/cloud/data/instance-id');
    const wrong = await complaints();
    expect(wrong.filter((line) => line.startsWith('MISSING')).map((line) => line.slice(9))).toEqual(
      [
        "Trove's own guest agent is there, and both would answer: remove it",
        "chmpx.service is enabled and would start beside the agent's own: systemctl disable it",
        'etc/machine-id is set: all VMs would have the same; empty it',
        'etc/ssh has host keys: all VMs would have the same; delete them',
        'var/lib/k2hdkc-guest-agent has the state of a node: a VM would take itself for that one; delete what is in it',
        "etc/trove/conf.d has an instance's configuration, with its keys: delete what is in it",
        'var/lib/cloud/data/instance-id is there: cloud-init clean',
      ],
    );
    expect(await script('provision', '/root/debs')).toContain(
      "Trove's own guest agent is in this image",
    );

    await rm(file('usr/bin/trove-guestagent'));
    // It disables the units of other packages, and may run again.
    expect(await script('provision', '/root/debs')).toMatch(/provision: done$/);
    expect(await script('clean')).toBe('clean: done');
    expect(await complaints()).toEqual(right);
    for (const [name, what] of NEEDED) {
      await rename(file(name), file('root/away'));
      expect((await complaints()).join('\n')).toMatch(
        new RegExp(`^MISSING +${what ?? path.basename(name)} `),
      );
      await rename(file('root/away'), file(name));
    }
    await inRoot(root, 'systemctl', '--quiet', 'disable', AGENT);
    expect((await complaints())[0]).toMatch(/^MISSING +k2hdkc-guest-agent.service is not enabled/);
    await inRoot(root, 'systemctl', '--quiet', 'enable', AGENT);
    await rm(file('usr/bin/cloud-init'));
    await rm(file('lib/systemd/system/chmpx.service'));
  });

  it('make a node of it at the next boot', async () => {
    await furnish(root, actor);
    await writeFile(file(CONFIGURATION), OWN_YAML);
    container = await Container.boot({ directory, folders: [], isWhole: true });
    // What systemd-sysctl does at the boot of a VM; a container may not change the kernel.
    await container.applyKernelParameters(file('usr/lib/sysctl.d/60-k2hdkc.conf'));
    await stage.prepare(actor, { clustered: true });
    await stage.trove.waitForStatus(actor.id, 'healthy');
    expect(await container.run('stat', '-c', '%a', STATE)).toBe('700');
    const node = await container.run('readlink', `/proc/${await mainPid(AGENT)}/exe`);
    expect(node).toBe('/usr/lib/k2hdkc-guest-agent-runtime/bin/node');
  });

  it('are upgraded and downgraded, and no call is lost', async () => {
    await changesNothingBut(await otherVersion(packages.agent, '99.0.0', directory));
    expect(await readFile(file(`${CONFIGURATION}.dpkg-dist`), 'utf8')).toContain('# of 99.0.0');
    await changesNothingBut(await otherVersion(packages.runtime, '99.0.0', directory));
    await changesNothingBut(packages.agent);
  });

  it('leave everything but the agent when they are removed', async () => {
    const before = await pids();
    await container.run('dpkg', '--remove', 'k2hdkc-guest-agent');
    expect(await exists('usr/lib/k2hdkc-guest-agent')).toBe(false);
    expect(
      await container.run('systemctl', 'show', '--value', '--property=ActiveState', AGENT),
    ).toBe('inactive');
    expect(await pids()).toEqual(before);
    expect(await readFile(file(CONFIGURATION), 'utf8')).toBe(OWN_YAML);
    expect(await exists(`${STATE}/desired.json`)).toBe(true);
    expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
    await install(packages.agent);
    await container.run('systemctl', 'start', AGENT);
    expect(await ping()).toBe(true);
    expect(await pids()).toEqual(before);
  });

  it('delete the agent’s state when they are purged, and no data', async () => {
    const before = await pids();
    await writeFile(file(`${STATE}/mine.k2h`), 'data');
    const said = await container.run('sh', '-c', 'dpkg --purge k2hdkc-guest-agent 2>&1');
    expect(said).toContain(`${STATE} has other files and stays`);
    expect(await container.run('ls', STATE)).toBe('mine.k2h');
    expect(await exists('etc/k2hdkc-guest-agent')).toBe(false);
    expect(await exists(DATA)).toBe(true);
    expect(await exists('etc/antpickax/k2hdkc.ini')).toBe(true);
    expect(await pids()).toEqual(before);
  });
});
