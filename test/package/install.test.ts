import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
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
/** Packages are built, and the first time a Debian is. */
const BUILD_MS = 900_000;

describe.runIf(reason === null)('the packages in a minimal Debian', () => {
  let directory: string;
  let root: string;
  let packages: Packages;
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
    await furnish(root, actor, path.dirname(programs.program('chmpx')));
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

  it('are installed without a network and without starting anything', async () => {
    const files = await Promise.all([packages.agent, packages.runtime].map(bring));
    await inRoot(root, 'dpkg', '--install', ...files);
    expect(await inRoot(root, 'k2hdkc-agent', '--version')).toMatch(/^k2hdkc-agent \d/);
    expect(await inRoot(root, 'systemctl', 'is-enabled', AGENT)).toBe('enabled');
    expect(await inRoot(root, 'stat', '-c', '%a', `/${CONFIGURATION}`)).toBe('600');
    expect(await exists('usr/lib/k2hdkc-guest-agent/dist/k2hdkc-agent.cjs.compiled')).toBe(true);
    expect(await inRoot(root, 'id', '-gn', 'k2hdkc')).toBe('k2hdkc');
  });

  it('make a node of it at the next boot', async () => {
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
