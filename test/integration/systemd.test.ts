import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { detachLoopDevice, loopDevice } from '../peers/loop-device.ts';
import { Container, containersPermitted } from '../peers/nspawn/container.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';
import { DEFAULT_TENANT } from '../peers/trove/guest-files.ts';
import { realPrograms, standIns, type Programs } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

const reason = containersPermitted();
if (reason !== null) {
  process.stderr.write(
    `NOT TESTED: units of systemd, no container can be booted here: ${reason}\n`,
  );
}

const AGENT = 'k2hdkc-guest-agent.service';
const CHMPX = 'k2hdkc-guest-chmpx.service';
const K2HDKC = 'k2hdkc-guest-k2hdkc.service';
const SYSCTL = '60-k2hdkc.conf';
const MOUNT_POINT = '/var/lib/k2hdkc/data';
/** Where the stand-ins are in the container. */
const STAND_INS = '/opt/antpickax';
/** `K2HDKC_TEST_SUBJECT=real` has it played by the real programs on PATH. */
const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';

describe.runIf(reason === null)('the agent as a unit of systemd', () => {
  let directory: string;
  let stage: Stage;
  let actor: Actor;
  let container: Container;
  let programs: Programs;
  let swift: SwiftPeer;
  /** Where the programs are in the container. */
  let folder: string;
  /** The data volume; null where there are no loop devices. */
  let device: string | null = null;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-systemd-'));
    const peers = path.join(directory, 'peers');
    await mkdir(peers);
    programs = isReal ? await realPrograms() : await standIns(peers);
    stage = await Stage.open(new Broker(inject('broker')), peers, programs);
    swift = await SwiftPeer.start({ projects: [DEFAULT_TENANT] });
    actor = await stage.actor('unit', { k2hFile: `${MOUNT_POINT}/k2hdkc.k2h` });
    device = loopDevice(path.join(directory, 'volume'), 512);
    await install();
    await boot();
  }, 120_000);

  afterAll(async () => {
    await container.close();
    await stage.close();
    await swift.stop();
    if (device !== null) detachLoopDevice(device);
    await rm(directory, { recursive: true });
  });

  async function boot(): Promise<void> {
    const real = isReal ? [path.dirname(folder)] : [];
    const volume = device === null ? [] : [device];
    container = await Container.boot({ directory, folders: [projectRoot, ...real, ...volume] });
  }

  /** Puts onto the disk of the container what a guest image and Trove put onto that of a VM. */
  async function install(): Promise<void> {
    const root = path.join(directory, 'root');
    Container.makeRoot(root);
    const file = (name: string): string => path.join(root, name);
    for (const folder of ['etc/trove', 'opt', 'etc/k2hdkc-guest-agent', 'root']) {
      await mkdir(file(folder), { recursive: true });
    }
    const installed = path.dirname(programs.program('chmpx'));
    folder = isReal ? installed : STAND_INS;
    // The user of the programs may not be able to read the project.
    if (!isReal) await cp(installed, file(folder), { recursive: true });
    // Where the libraries of real ones are.
    if (isReal) await cp('/etc/ld.so.cache', file('etc/ld.so.cache'));
    await cp(actor.vm.path('conf.d'), file('etc/trove/conf.d'), { recursive: true });
    await writeFile(
      file('etc/trove/conf.d/zz-logs.conf'),
      `[DEFAULT]\nswift_url = ${swift.url('')}\n`,
    );
    await mkdir(file('var/lib/cloud/data'), { recursive: true });
    await cp(actor.vm.path('instance-id'), file('var/lib/cloud/data/instance-id'));
    await writeFile(
      file('etc/k2hdkc-guest-agent/agent.yaml'),
      'node:\n  name: 127.0.0.1\n  source_address: 127.0.0.1\nprograms:\n  user: k2hdkc\n' +
        `paths:\n  data_dir: ${MOUNT_POINT}\n` +
        // A slow machine takes longer to do what chmpx waits for than five crashes.
        'cluster:\n  crashes_until_crashed: 1000\n',
    );
    const units = file('etc/systemd/system');
    const unit = await readFile(path.join(projectRoot, 'systemd', AGENT), 'utf8');
    const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
    await writeFile(path.join(units, AGENT), unit.replace('/usr/bin/k2hdkc-agent', agent));
    // The stand-ins are scripts of this Node.js.
    const paths = `${folder}:${path.dirname(process.execPath)}:/usr/sbin:/usr/bin`;
    await mkdir(file('etc/sysctl.d'));
    await cp(path.join(projectRoot, 'systemd', SYSCTL), file(`etc/sysctl.d/${SYSCTL}`));
    const wants = file('etc/systemd/system/default.target.wants');
    await mkdir(wants);
    await symlink(`../${AGENT}`, path.join(wants, AGENT));
    await mkdir(file('etc/systemd/system.conf.d'));
    await writeFile(
      file('etc/systemd/system.conf.d/paths.conf'),
      `[Manager]\nDefaultEnvironment=PATH=${paths}\n`,
    );
  }

  const property = (unit: string, name: string): Promise<string> =>
    container.run('systemctl', 'show', '--value', `--property=${name}`, unit);
  /** Of a program that runs; a PID of 0 would mean this very process group to kill(1). */
  const pidOf = (unit: string): Promise<string> =>
    until(`${unit} runs`, async () => {
      const pid = await property(unit, 'MainPID');
      return /^[1-9]/.test(pid) ? pid : undefined;
    });
  const pids = async (): Promise<[string, string]> => [await pidOf(CHMPX), await pidOf(K2HDKC)];
  const agentLog = (): Promise<string> =>
    container.run('journalctl', '--output=cat', '-t', 'k2hdkc-agent');
  const serves = () =>
    until('it serves', async () => {
      const status = await container
        .run(`${folder}/chmpxstatus`, '-conf', '/etc/antpickax/k2hdkc.ini', '-self')
        .catch(() => '');
      return status.includes('[SERVICE IN][UP][n/a][Nothing][NoSuspend]');
    });
  /** What systemd-sysctl does at the boot of a VM; a container may not change the kernel. */
  const applySysctl = async (): Promise<void> => {
    const known = await container.run('systemd-analyze', 'cat-config', 'sysctl.d');
    expect(known).toContain('fs.mqueue.msg_max = 1025');
    await container.applyKernelParameters(path.join(projectRoot, 'systemd', SYSCTL));
  };
  /** Publishes a log, and gives all lines of it that are in Swift. */
  const published = async (log: string): Promise<string[]> => {
    const account = await swift.account(DEFAULT_TENANT);
    const how = { authToken: account.token, isAdmin: true };
    const action = { log_name: log, enable: null, disable: null, publish: true, discard: null };
    await stage.trove.api(actor.id, 'guest_log_action', action, how);
    const names = (await account.names('database_logs')).filter((name) =>
      name.startsWith(`${actor.id}/k2hdkc-${log}/`),
    );
    const texts: string[] = [];
    for (const name of names) {
      texts.push((await account.get('database_logs', name)).body.toString());
    }
    return texts.join('').trimEnd().split('\n');
  };
  const source = () => container.run('findmnt', '-no', 'SOURCE', MOUNT_POINT);
  const healthy = () => stage.trove.waitForStatus(actor.id, 'healthy');

  it('says what a chmpx that is not root’s lacks, before it is started', async () => {
    const volume = device === null ? {} : { volume: { device, mountPoint: MOUNT_POINT } };
    await stage.prepare(actor, { clustered: true, ...volume });
    await until('the message', async () =>
      (await agentLog()).includes(
        'fs.mqueue.msg_max is 10, chmpx needs 136 as user k2hdkc; run: sysctl -w fs.mqueue.msg_max=136',
      ),
    );
    expect(await property(CHMPX, 'LoadState')).toBe('not-found');
    await applySysctl();
    await healthy();
  });

  it('has its data on the volume that Trove named, which was empty', async (test) => {
    if (device === null) return test.skip();
    expect(await source()).toBe(device);
    expect(await property(K2HDKC, 'RequiresMountsFor')).toContain(MOUNT_POINT);
    const file = `${MOUNT_POINT}/k2hdkc.k2h`;
    expect(await container.run('stat', '-c', '%U', MOUNT_POINT)).toBe('k2hdkc');
    expect(await container.run('findmnt', '-no', 'FSTYPE,SOURCE', '-T', file)).toMatch(/^ext4 /);
    await container.run('touch', `${MOUNT_POINT}/was here`);
  });

  it('may do what it has to and no more, with mounts of its own', async () => {
    const pid = await pidOf(AGENT);
    const namespace = (of: string) => container.run('readlink', `/proc/${of}/ns/mnt`);
    expect(await namespace(pid)).not.toBe(await namespace('1'));
    const status = await container.run('cat', `/proc/${pid}/status`);
    const [, bounds = ''] = /^CapBnd:\s+([0-9a-f]+)$/m.exec(status) ?? [];
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, SYS_PTRACE 19: capabilities(7).
    expect(BigInt(`0x${bounds}`).toString(2)).toBe('10000000000011101011');
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    const limits = await container.run('cat', `/proc/${pid}/limits`);
    expect(limits).toMatch(/^Max core file size\s+0\s+0\s/m);
    // Nothing that it needs has been refused.
    expect(await agentLog()).not.toMatch(
      /EPERM|EROFS|Operation not permitted|Read-only file system/,
    );
  });

  it('has the programs in units of their own, beside its own', async () => {
    expect(await agentLog()).toContain('who starts chmpx and k2hdkc launcher=systemd');
    expect(await property(AGENT, 'WatchdogTimestampMonotonic')).not.toBe('0');
    const [chmpx, k2hdkc] = await pids();
    for (const [unit, pid] of [
      [CHMPX, chmpx],
      [K2HDKC, k2hdkc],
    ] as const) {
      const proc = async (name: string) =>
        (await container.run('cat', `/proc/${pid}/${name}`)).trim();
      expect(await proc('cgroup')).toMatch(new RegExp(`/${unit}$`, 'm'));
      expect(await property(unit, 'OOMScoreAdjust')).toBe('-500');
      expect(await property(unit, 'LimitNOFILE')).toBe('65536');
      expect(await proc('status')).toMatch(/^Uid:\s+990\s+990\s/m);
      expect(await proc('status')).toMatch(/^CapBnd:\s+0+$/m);
      expect(await proc('status')).toMatch(/^Seccomp:\s+2$/m);
      expect(await container.run('readlink', `/proc/${pid}/ns/mnt`)).toBe(
        await container.run('readlink', '/proc/1/ns/mnt'),
      );
      expect(await property(unit, 'Restart')).toBe('no');
    }
    expect(await property(CHMPX, 'KillSignal')).toBe('1');
    expect(await property(K2HDKC, 'KillSignal')).toBe('15');
    expect(await property(K2HDKC, 'After')).toContain(CHMPX);
    const owner = await container.run('stat', '-c', '%U', '/var/lib/k2hdkc/data/k2hdkc.k2h');
    expect(owner).toBe('k2hdkc');
  });

  it.each(['restart', 'kill --signal=KILL'])('keeps their PIDs over its own %s', async (how) => {
    const before = await pids();
    const agent = await property(AGENT, 'MainPID');
    await container.run('systemctl', ...how.split(' '), AGENT);
    await until('another agent', async () => {
      const now = await property(AGENT, 'MainPID');
      return now !== agent && now !== '0';
    });
    expect(await stage.trove.api(actor.id, 'rpc_ping', {}, { timeout: 30 })).toBe(true);
    expect(await pids()).toEqual(before);
  });

  it('starts them again when they crash, and says how they ended', async () => {
    const [before] = await pids();
    await container.run('kill', '-KILL', before);
    await until('another chmpx', async () => (await pidOf(CHMPX)) !== before);
    await serves();
    expect(await agentLog()).toMatch(/ended by itself program=chmpx .*signal=SIGKILL/);
  });

  it('publishes their logs from the journal', async () => {
    expect((await published('agent')).join('\n')).toMatch(
      /Z k2hdkc-agent\[\d+\]: who starts chmpx and k2hdkc launcher=systemd/,
    );
    const chmpx = (await published('chmpx')).join('\n');
    expect(chmpx).toMatch(/Z systemd\[1\]: k2hdkc-guest-chmpx\.service: Main process exited/);
    expect(chmpx).toMatch(/Z chmpx\[\d+\]: /);
    expect((await published('k2hdkc')).join('\n')).toContain('k2hdkc-guest-k2hdkc.service');
  });

  it('is shut down with them in order: chmpx by the signal that it heeds', async () => {
    await container.powerOff();
    const log = await readFile(path.join(directory, 'boot.log'), 'utf8');
    expect(log).not.toMatch(/timed out|Killing process|Failed unmounting|target is busy/i);
  });

  it('comes back by itself, with them, after the next boot', async () => {
    await boot();
    await applySysctl();
    await serves();
    if (device !== null) {
      // Where everybody sees it, although the agent has mounts of its own.
      expect(await source()).toBe(device);
      await container.run('stat', `${MOUNT_POINT}/was here`);
    }
    expect(await stage.trove.api(actor.id, 'rpc_ping', {}, { timeout: 30 })).toBe(true);
    await healthy();
  });

  it.each([
    ['agent', AGENT],
    ['chmpx', CHMPX],
  ])('publishes the log of %s over that boot, each line once', async (log, unit) => {
    const known = await container.run('journalctl', '--quiet', '--output=cat', `--unit=${unit}`);
    const all = await published(log);
    expect(new Set(all).size).toBe(all.length);
    const messages = all.map((line) => line.replace(/^\S+ \S+: /, ''));
    expect(messages.join('\n')).toContain(known.trim());
  });

  it('leaves them stopped over a boot when Trove has said so', async () => {
    await stage.trove.rpc(actor.id, 'stop_db', { do_not_start_on_reboot: true });
    await container.powerOff();
    await container.close();
    await boot();
    await until('the agent is up', async () => (await agentLog()).includes('AMQP session ready'));
    expect(await stage.trove.api(actor.id, 'rpc_ping', {}, { timeout: 30 })).toBe(true);
    expect(await property(CHMPX, 'LoadState')).toBe('not-found');
  });
});
