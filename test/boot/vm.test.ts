import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { buildPackages, standInPackages } from '../package/guest-image.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';
import { writeConfigDrive } from './config-drive.ts';
import { HOST, QemuVm } from './qemu-vm.ts';

/** Everything is emulated: a boot takes minutes, of which one is cloud-init's. */
const BOOT_S = 1_800;
const IMAGE_MS = 5_400_000;
const MOUNT_POINT = '/var/lib/antpickax/k2hdkc';
const USER_DATA = `#cloud-config
bootcmd:
  - "mkdir -p /run/systemd/journald.conf.d"
  - "printf '[Journal]\\\\nForwardToConsole=yes\\\\n' > /run/systemd/journald.conf.d/console.conf"
  - "systemctl restart systemd-journald"
  # The stand-ins are scripts of a Node.js: there is only the one that was installed.
  - "ln -sf /usr/lib/k2hdkc-guest-agent-runtime/bin/node /usr/local/bin/node"
write_files:
  - path: /etc/k2hdkc-guest-agent/agent.yaml
    permissions: "0600"
    content: "node: { name: address }"
`;

/** As the VM sees it, what is on this machine. */
const seenFromVm = (text: string): string => text.replaceAll('127.0.0.1', HOST);

describe('the image that Packer builds', { timeout: 2 * BOOT_S * 1_000 }, () => {
  let directory: string;
  let image: string;
  let stage: Stage;
  let actor: Actor;
  let vm: QemuVm;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-boot-'));
    const programs = await standIns(directory);
    image = await imageFor(directory, path.dirname(programs.program('chmpx')));
    stage = await Stage.open(new Broker(inject('broker')), directory, programs);
    stage.k2hr3.advertise(seenFromVm(stage.k2hr3.url));
    actor = await stage.actor('vm', { k2hFile: `${MOUNT_POINT}/k2hdkc.k2h` });
    const conf = (name: string): Promise<string> =>
      readFile(actor.vm.path(`conf.d/${name}`), 'utf8');
    const configDrive = path.join(directory, 'config.iso');
    await writeConfigDrive(configDrive, {
      uuid: (await readFile(actor.vm.path('instance-id'), 'utf8')).trim(),
      hostname: 'k2hdkc-vm',
      files: {
        '/etc/trove/conf.d/guest_info.conf': await conf('guest_info.conf'),
        '/etc/trove/conf.d/trove-guestagent.conf': seenFromVm(
          await conf('trove-guestagent.conf'),
        ).replace(/^mount_point = .*$/m, `mount_point = ${MOUNT_POINT}`),
      },
      userData: USER_DATA,
    });
    vm = await QemuVm.create({ image, volume: '1G', configDrive, directory });
  }, IMAGE_MS);

  afterEach(async (test) => {
    if (test.task.result?.state === 'fail') process.stderr.write(await vm.lastLines(150));
  });
  afterAll(async () => {
    await (vm as QemuVm | undefined)?.cutPower();
    await (stage as Stage | undefined)?.close();
    await rm(directory, { recursive: true });
  });

  /** Resolves when the agent says that the node is healthy, after what it has said so far. */
  const untilHealthyAgain = async (): Promise<void> => {
    const before = (await stage.trove.published(actor.id)).length;
    await until(
      'it is healthy',
      async () => {
        const said = (await stage.trove.published(actor.id)).slice(before);
        return said.some(({ method, args }) => {
          const payload = args['payload'] as { service_status?: string } | undefined;
          return method === 'heartbeat' && payload?.service_status === 'healthy';
        });
      },
      { seconds: BOOT_S, everyMs: 1_000 },
    );
  };
  /** GiB of the file system that Trove is told of. */
  const gibibytes = async (): Promise<number> => {
    const stats = await stage.trove.rpc(actor.id, 'get_filesystem_stats', { fs_path: MOUNT_POINT });
    return (stats as { total: number }).total;
  };

  it('was built with a list of its packages', async () => {
    const list = path.join(path.dirname(image), 'packages.txt');
    const names = (await readFile(list, 'utf8')).split('\n').map((line) => line.split(' ')[0]);
    for (const name of [
      'k2hdkc-guest-agent',
      'k2hdkc-guest-agent-runtime',
      'chmpx',
      'cloud-init',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('boots with Nova’s config drive, and makes a node on the data volume', async () => {
    await vm.boot();
    await stage.prepare(actor, {
      clustered: true,
      volume: { device: '/dev/vdb', mountPoint: MOUNT_POINT },
    });
    await untilHealthyAgain();
    expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
    const total = await gibibytes();
    expect(total).toBeGreaterThan(0.8);
    expect(total).toBeLessThan(1);
  });

  it('comes back from a reboot, with the volume mounted', async () => {
    await vm.powerDown();
    const console = await vm.lastLines(400);
    expect(console).toContain('reboot: Power down');
    await vm.boot();
    await untilHealthyAgain();
    expect(await gibibytes()).toBeLessThan(1);
    expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
  });
});

/** The image of K2HDKC_IMAGE, or one that is built with the stand-ins. */
async function imageFor(directory: string, standInFolder: string): Promise<string> {
  const { K2HDKC_IMAGE } = process.env;
  if (K2HDKC_IMAGE !== undefined) return K2HDKC_IMAGE;
  const debs = path.join(directory, 'debs');
  const out = path.join(directory, 'image');
  await mkdir(debs);
  await buildPackages(debs);
  await standInPackages(debs, standInFolder);
  const script = path.join(projectRoot, 'scripts/image.mjs');
  await promisify(execFile)(process.execPath, [script, '--debs', debs, '--out', out], {
    maxBuffer: 64 * 1024 ** 2,
  });
  return path.join(out, 'k2hdkc-guest.qcow2');
}
