import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { md5, upstreamObject } from '../backup/objects.ts';
import { record } from '../backup/records.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';
import { troveDelete, troveVerify } from '../peers/swift/trove-backups.ts';
import { Lab } from '../peers/vm/lab.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { LabMachines } from '../story/machines/lab-machines.ts';
import { realPrograms } from '../story/programs.ts';
import { follows, withTraffic } from '../story/slave-keys.ts';
import { keysIn } from './archive-keys.ts';

const KEYS = 100_000;
const CONTAINER = 'database_backups';
const DATA_FILE = '/var/lib/antpickax/k2hdkc/k2hdkc.k2h';

const valueOf = (n: number): string => `the value of ${n} is ${n * n}`;
const expected = (): Map<string, string> =>
  new Map(Array.from({ length: KEYS }, (_, n) => [`key${n}`, valueOf(n)]));

let directory: string;
let swift: SwiftPeer;
let account: SwiftAccount;
let lab: Lab;
let stage: ClusterStage;
/** Where the VMs find the account. */
let swiftUrl: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-backup-'));
  const programs = path.dirname((await realPrograms()).program('chmpx'));
  [lab, swift] = await Promise.all([
    Lab.open(path.join(directory, 'lab'), { programs }),
    SwiftPeer.start(),
  ]);
  account = await swift.account();
  await account.makeContainer(CONTAINER);
  await lab.hub.relay(swift.port);
  swiftUrl = account.url.replace('127.0.0.1', lab.hub.address);
  stage = await ClusterStage.open(new Broker(inject('broker')), new LabMachines(lab), directory);
});

afterAll(async () => {
  await lab.close();
  await stage.close();
  await swift.stop();
  await rm(directory, { recursive: true });
});

/** Runs commands of k2hlinetool on a node's data, whether k2hdkc has it open or not. */
async function tool({ machine }: ClusterMember, ...commands: string[]): Promise<void> {
  const script = '/var/lib/antpickax/tool.script';
  await writeFile(machine.path(script), [...commands, 'exit', ''].join('\n'));
  const args = ['-f', DATA_FILE, '-run', script];
  const { stdout, stderr } = await machine.exec('k2hlinetool', args, 120_000);
  expect(stdout + stderr).not.toContain('[ERR]');
}

/** All keys of a node with their values. */
async function keysOf(node: ClusterMember): Promise<Map<string, string>> {
  const archive = '/var/lib/antpickax/k2hdkc/test.k2har';
  await tool(node, `ar put ${archive}`);
  return keysIn(await readFile(node.machine.path(archive)));
}

/** Each of the keys has its value, and there is no other than those of the writer. */
function expectAll(found: Map<string, string>): void {
  const wrong = [...expected()].filter(([key, value]) => found.get(key) !== value);
  expect(wrong).toEqual([]);
  const others = [...found.keys()].filter((key) => !key.startsWith('key'));
  expect(others.filter((key) => !key.startsWith('meanwhile'))).toEqual([]);
  expect(found.size).toBe(KEYS + others.length);
}

async function backUp(node: ClusterMember): Promise<{ location: string; checksum: string }> {
  const id = randomUUID();
  await stage.trove.addBackup(id, node.id);
  const named = { id, parent: null, storage_driver: 'swift', swift_container: CONTAINER };
  const backup_info = {
    ...named,
    datastore: 'k2hdkc',
    datastore_version: '1.0.19',
    swift_url: swiftUrl,
  };
  await stage.trove.api(node.id, 'create_backup', { backup_info }, { authToken: account.token });
  const row = await until('the backup ends', async () => {
    const now = await stage.trove.backup(id);
    return ['COMPLETED', 'FAILED'].includes(now.state) ? now : undefined;
  });
  expect(row.state).toBe('COMPLETED');
  return { location: row.location ?? '', checksum: row.checksum ?? '' };
}

/** Deletes the only server, and makes another from a backup. */
async function replaceBy(
  node: ClusterMember,
  stored: { location: string; checksum: string },
): Promise<ClusterMember> {
  await stage.deleteServer(node);
  const info = { id: randomUUID(), type: 'full', storage_driver: 'swift', ...stored };
  const backup = { info: { ...info, swift_url: swiftUrl }, token: account.token };
  const [made] = await stage.createInstances(1, { backup });
  await stage.settled(stage.nodes, 180);
  if (!made) throw new Error('no node');
  return made;
}

it(
  'a node in use is backed up and restored into another one, key by key',
  {
    timeout: 300_000,
  },
  async () => {
    const [source] = await stage.createInstances(1);
    if (!source) throw new Error('no node');
    await stage.settled();
    const slave = await stage.createSlave();
    await follows(slave, 1);
    const given = '/var/lib/antpickax/k2hdkc/given.k2har';
    const records = [...expected()].map(([key, value]) => record(key, value));
    await writeFile(source.machine.path(given), Buffer.concat(records));
    await tool(source, `ar load ${given}`);

    let stored = { location: '', checksum: '' };
    const traffic = await withTraffic(slave, 'meanwhile', async () => {
      stored = await backUp(source);
    });
    process.stdout.write(`a backup of ${KEYS} keys: ${traffic}\n`);
    const here = { ...stored, location: stored.location.replace(swiftUrl, account.url) };
    expect(await troveVerify(account, here)).toBe(true);

    const restored = await replaceBy(source, stored);
    const found = await keysOf(restored);
    expectAll(found);
    await follows(slave, 1);
    expect(await slave.keyTool(['print key77777'])).toContain(`"key77777" => "${valueOf(77_777)}"`);

    await troveDelete(account, here.location);
    expect(await account.names(CONTAINER)).toEqual([]);

    const object = await upstreamObject(Buffer.concat(records));
    await account.put(CONTAINER, 'upstream.gz', object);
    const location = `${swiftUrl}/${CONTAINER}/upstream.gz`;
    const again = await keysOf(await replaceBy(restored, { location, checksum: md5(object) }));
    expectAll(again);
    expect(again.size).toBe(KEYS);
  },
);
