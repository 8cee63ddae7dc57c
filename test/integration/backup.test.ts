import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { runK2hlinetool } from '../../src/backup/k2hlinetool.ts';
import { record } from '../backup/records.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import { BACKUP_STORES } from '../peers/object-stores.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import type { FaultRule } from '../peers/swift/faults.ts';
import type { ObjectStore } from '../peers/swift/object-store.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';
import { troveVerify } from '../peers/swift/trove-backups.ts';
import { standIns, type Programs } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

const CONTAINER = 'k2hdkc_backups';

const DIES_AT_THE_SECOND_SEGMENT: FaultRule = {
  fault: { kind: 'stall', way: 'request', afterBytes: 1000 },
  method: 'PUT',
  path: /_00000001/,
};

let directory: string;
let programs: Programs;
let stage: Stage;
let swift: ObjectStore;
let account: SwiftAccount;
let door: FaultDoor;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-backup-'));
  programs = await standIns(directory);
  stage = await Stage.open(new Broker(inject('broker')), directory, programs);
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** A node in service with 2.5 MB of data, which are three segments. */
async function serving(name: string): Promise<Actor> {
  const actor = await stage.actor(name, {
    agentYaml: 'backup:\n  segment_size: 1\n',
  });
  const { vm } = actor;
  await vm.startAgent();
  await vm.untilLog(/AMQP session ready/);
  await stage.prepare(actor, { clustered: false });
  await stage.trove.waitForStatus(actor.id, 'healthy');
  const values = Array.from({ length: 25 }, (_, n) => record(`k${n}`, randomBytes(100_000)));
  await writeFile(vm.path('data.k2har'), Buffer.concat(values));
  await runK2hlinetool({
    command: programs.program('k2hlinetool'),
    desk: { directory: vm.path('.'), user: null },
    file: path.join(vm.dataDirectory, 'k2hdkc.k2h'),
    attach: { maskBit: 8, collisionMaskBit: 8, maxElements: 32, pageSize: 512, fullMap: true },
    commands: ['ar load data.k2har'],
  });
  return actor;
}

/** Has Trove ask for a backup; resolves with its id. */
async function ask({ id }: Actor, more: Record<string, unknown> = {}): Promise<string> {
  const backupId = randomUUID();
  await stage.trove.addBackup(backupId, id);
  const backup_info = {
    id: backupId,
    name: 'b1',
    description: null,
    instance_id: id,
    backup_type: 'full',
    checksum: null,
    parent: null,
    datastore: 'k2hdkc',
    datastore_version: '1.0.16',
    storage_driver: 'swift',
    swift_container: CONTAINER,
    swift_url: door.url(),
    ...more,
  };
  await stage.trove.api(id, 'create_backup', { backup_info }, { authToken: account.token });
  return backupId;
}

/** The newest fault of the instance, as soon as Trove's conductor has written one. */
function faultOf({ id }: Actor): Promise<{ message: string }> {
  return until('the fault is in Trove’s database', async () =>
    (await stage.trove.instanceFaults(id)).at(0),
  );
}

/** Waits until Trove's database says that the backup has ended, and Trove was notified. */
async function ended({ id, vm }: Actor, backupId: string) {
  const row = await until('the backup ends', async () => {
    const now = await stage.trove.backup(backupId);
    return ['COMPLETED', 'FAILED'].includes(now.state) ? now : null;
  });
  await until(
    'nothing is left to do',
    async () =>
      (await readdir(vm.path('state/journal/open'))).length === 0 &&
      (await readdir(vm.path('state/outbox'))).length === 0,
  );
  expect(await readdir(vm.dataDirectory)).toEqual(['k2hdkc.k2h']);
  expect(await vm.log()).not.toContain(account.token);
  const published = (await stage.trove.published(id)).filter(
    ({ method, args }) => method === 'update_backup' && args['backup_id'] === backupId,
  );
  return { row, states: published.map(({ args }) => args['state']) };
}

/** Backs up to a store of its own in the tests of this block. */
function backingUpTo(start: () => Promise<ObjectStore>): void {
  beforeAll(async () => {
    swift = await start();
    account = await swift.account();
    door = await swift.door();
  });
  afterAll(async () => {
    door.close();
    await swift.stop();
  });
  afterEach(async () => {
    door.clear();
    for (const name of await account.names(CONTAINER)) await account.delete(CONTAINER, name);
  });
}

describe.each(BACKUP_STORES)('create_backup, on %s,', (_store, start) => {
  backingUpTo(start);

  it('ends COMPLETED in Trove, with an object that Trove verifies', async () => {
    const actor = await serving('backup');
    const backupId = await ask(actor);
    const { row, states } = await ended(actor, backupId);
    expect(states).toEqual(['BUILDING', 'COMPLETED']);
    const location = `${door.url()}/${CONTAINER}/${backupId}.gz`;
    expect(row).toMatchObject({ state: 'COMPLETED', backupType: 'full', location });
    expect(row.size).toBeGreaterThan(0);
    const here = {
      checksum: row.checksum ?? '',
      location: location.replace(door.url(), account.url),
    };
    expect(await troveVerify(account, here)).toBe(true);
    expect(await account.names(CONTAINER)).toHaveLength(4);
    expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
    const published = await stage.trove.published(actor.id);
    const notified = published.filter(({ method }) => method.startsWith('notify')).at(-1);
    expect(notified?.method).toBe('notify_end');
    expect(JSON.stringify(notified?.args)).toContain('DBaaSBackupCreate');
    expect(await actor.vm.log()).toMatch(/operation done operation=create_backup/);
  });

  it('whose agent is killed in the middle is made again by the next one', async () => {
    const actor = await serving('killed');
    door.add(DIES_AT_THE_SECOND_SEGMENT);
    const backupId = await ask(actor);
    await until('a segment is there', async () => (await account.names(CONTAINER)).length === 1);
    await actor.vm.endAgent('SIGKILL');
    expect(await readdir(actor.vm.dataDirectory)).toContain('.k2hdkc-agent-backup');
    door.clear();
    await account.put(CONTAINER, `${backupId}_00000007`, 'of the killed agent');
    await actor.vm.startAgent();
    const { states } = await ended(actor, backupId);
    expect(states).toEqual(['BUILDING', 'COMPLETED']);
    const names = await account.names(CONTAINER);
    expect(names).toHaveLength(4);
    expect(names).not.toContain(`${backupId}_00000007`);
    expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
  });
});

describe('create_backup', () => {
  backingUpTo(() => SwiftPeer.start());

  it('with a parent ends FAILED, and the fault of the instance says why', async () => {
    const actor = await serving('incremental');
    const parent = { location: 'http://swift/v1/AUTH_x/c/p.gz', checksum: 'x' };
    const { row, states } = await ended(actor, await ask(actor, { parent }));
    expect(states).toEqual(['BUILDING', 'FAILED']);
    expect(row).toMatchObject({ state: 'FAILED', location: null });
    expect((await faultOf(actor)).message).toContain('K2HDKC has no incremental backups');
    expect(await actor.vm.log()).toContain('K2HDKC has no incremental backups');
    expect(await account.names(CONTAINER)).toEqual([]);
  });

  it('twice at once makes one backup after the other, and holds up nothing else', async () => {
    const actor = await serving('two');
    door.add({ fault: { kind: 'slow', bytesPerSecond: 2_000_000 }, path: /_0000/ });
    const ids = [await ask(actor), await ask(actor)];
    await actor.vm.untilLog(/backing up/);
    expect(await stage.trove.rpc(actor.id, 'rpc_ping')).toBe(true);
    await stage.trove.api(actor.id, 'restart');
    for (const id of ids) {
      expect((await ended(actor, id)).states).toEqual(['BUILDING', 'COMPLETED']);
    }
    const objects = door.requests
      .map(({ path: one }) => one)
      .filter((one) => one.includes('_0000'));
    const order = objects.map((one) => ids.findIndex((id) => one.includes(id)));
    expect(order).toEqual(order.toSorted());
  });

  it('that kills its agent again and again is given up', async () => {
    const actor = await serving('deadly');
    door.add(DIES_AT_THE_SECOND_SEGMENT);
    const backupId = await ask(actor);
    for (let kill = 1; kill <= 3; kill++) {
      const seen = door.requests.length;
      await until('it waits for Swift', () =>
        door.requests.slice(seen - 1).some(({ path: one }) => one.includes(`${backupId}_00000001`)),
      );
      await actor.vm.endAgent('SIGKILL');
      door.forget();
      await actor.vm.startAgent();
    }
    const { states } = await ended(actor, backupId);
    expect(states).toEqual(['BUILDING', 'FAILED']);
    expect((await faultOf(actor)).message).toContain('3 times');
    expect(await account.names(CONTAINER)).toEqual([]);
  });
});
