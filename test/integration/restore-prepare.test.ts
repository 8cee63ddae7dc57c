import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { archiveOf, upstreamObject } from '../backup/objects.ts';
import { KillLab, killAndStart } from '../helpers/kill-lab.ts';
import { until } from '../helpers/until.ts';
import { runK2hlinetool } from '../../src/backup/k2hlinetool.ts';
import { BACKUP_STORES } from '../peers/object-stores.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import type { ObjectStore } from '../peers/swift/object-store.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { projectRoot } from '../helpers/project-root.ts';
import type { Actor, BackupToRestore } from '../story/stage.ts';

let lab: KillLab;
let swift: ObjectStore;
let door: FaultDoor;

beforeAll(async () => {
  lab = await KillLab.open(inject('broker'));
});
afterAll(() => lab.close());

/** A backup of three keys in Swift, in segments; `damage` changes what Trove knows of it. */
async function stored(damage: Record<string, unknown> = {}): Promise<BackupToRestore> {
  const object = await upstreamObject(archiveOf(3));
  const account = await swift.account();
  await account.makeContainer('database_backups');
  const checksum = await account.putLarge('database_backups', 'b-1.gz', object, 100);
  const info = {
    id: 'b-1',
    instance_id: 'the one that was backed up',
    location: `${door.url()}/database_backups/b-1.gz`,
    type: 'full',
    checksum,
    storage_driver: 'swift',
    swift_url: door.url(),
    ...damage,
  };
  return { info, token: account.token };
}

/** The keys in the k2h file of a node, sorted. */
async function keysOf({ vm }: Actor): Promise<string[]> {
  const command = path.join(projectRoot, 'dist/test/antpickax/k2hlinetool');
  const file = path.join(vm.dataDirectory, 'k2hdkc.k2h');
  const desk = { directory: await temporaryDirectory(), user: null };
  const commands = ['list'];
  const text = await runK2hlinetool({ command, desk, file, attach: 'read-only', commands });
  return [...text.matchAll(/^\+"(.*)" =>/gm)].map(([, key = '']) => key).sort();
}

const downloads = (): number =>
  door.requests.filter((call) => call.method === 'GET' && call.path.endsWith('b-1.gz')).length;

describe.each(BACKUP_STORES)('prepare with backup_info, from %s,', (_store, start) => {
  beforeAll(async () => {
    swift = await start();
    door = await swift.door();
  });
  afterAll(async () => {
    door.close();
    await swift.stop();
  });
  afterEach(() => {
    door.clear();
    door.forget();
  });

  it('makes a node that serves the data of the backup, and says so once', async () => {
    const { stage } = lab;
    const actor = await lab.started('restored');
    const backup = await stored();
    await stage.prepare(actor, { clustered: false, backup });
    await stage.trove.waitForStatus(actor.id, 'healthy');
    expect(await keysOf(actor)).toEqual(['key0', 'key1', 'key2']);
    expect((await readdir(actor.vm.dataDirectory)).filter((name) => name.startsWith('.'))).toEqual(
      [],
    );
    expect((await stage.trove.statusHistory(actor.id)).join(' → ')).toMatch(/^building → healthy$/);
    expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
    expect(await actor.vm.log()).not.toContain(backup.token);

    await killAndStart(actor);
    await actor.vm.untilServing();
    expect(downloads()).toBe(1);
  });

  it('fails when a check fails, and Trove shows which', async () => {
    const { stage } = lab;
    const actor = await lab.started('refused');
    const backup = await stored({ checksum: 'b'.repeat(32) });
    await stage.prepare(actor, { clustered: false, backup });
    await stage.trove.waitForStatus(actor.id, 'failed to spawn');
    const fault = await until('the fault is in Trove’s database', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(fault.message).toMatch(/^backup b-1 cannot be restored:\s[^]* b{32} by Trove/);
    expect(await readdir(actor.vm.dataDirectory)).toEqual([]);
    expect([actor.vm.program('chmpx'), actor.vm.program('k2hdkc')]).toEqual([undefined, undefined]);
    await until('it is unregistered', () => stage.k2hr3.hosts(actor.cluster).length === 0);
  });

  it('begins anew when the agent is killed in the middle', async () => {
    const { stage } = lab;
    const actor = await lab.started('killed');
    door.add({
      fault: { kind: 'stall', way: 'response', afterBytes: 100 },
      method: 'GET',
      path: /\.gz$/,
      times: 1,
    });
    await stage.prepare(actor, { clustered: false, backup: await stored() });
    await until('the download', () => downloads() === 1);
    await killAndStart(actor);
    await stage.trove.waitForStatus(actor.id, 'healthy');
    expect(await keysOf(actor)).toEqual(['key0', 'key1', 'key2']);
    expect(downloads()).toBe(2);
    expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
  });
});
