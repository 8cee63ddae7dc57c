import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import amqplib from 'amqplib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { processFigures } from '../../src/host/process-figures.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import { GUEST_METHODS, isHandled } from '../../src/trove/guest-methods.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { guestInfoConf } from '../peers/trove/guest-files.ts';
import { TrovePeerError } from '../peers/trove/trove-peer.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';
import { readFixture, type ApiCall } from '../trove/fixtures.ts';

const IN_SERVICE = 'healthy';
const PREPARE = { packages: [], databases: null, memory_mb: 512, users: null };

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-agent-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** An actor whose agent runs. */
async function started(name: string): Promise<Actor> {
  const actor = await stage.actor(name);
  await actor.vm.startAgent();
  await actor.vm.untilLog(/AMQP session ready/);
  return actor;
}

/** An actor that is prepared without a cluster, which is quick. */
async function detached(name: string): Promise<Actor> {
  const actor = await started(name);
  await stage.prepare({ ...actor, overrides: {} }, { clustered: false });
  await stage.trove.waitForStatus(actor.id, 'running');
  return actor;
}

/** An actor that is in service in its cluster. */
async function serving(name: string): Promise<Actor> {
  const actor = await started(name);
  await stage.prepare(actor, { clustered: true });
  await stage.trove.waitForStatus(actor.id, IN_SERVICE);
  await stage.trove.rpc(actor.id, 'cluster_complete');
  return actor;
}

const callOf =
  (actor: Actor) =>
  (method: string, kwargs: Record<string, unknown> = {}) =>
    stage.trove.api(actor.id, method, kwargs);

const pidsOf = ({ vm }: Actor) => [vm.program('chmpx'), vm.program('k2hdkc')];

async function errorOf(outcome: Promise<unknown>): Promise<TrovePeerError> {
  const error: unknown = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TrovePeerError) return error;
  throw new Error(`no error of the guest: ${String(error)}`);
}

describe('methods that this agent does not have', () => {
  const captured = readFixture('api_calls_master.json') as ApiCall[];
  const calls = captured.filter(({ method, kind }) => kind === 'call' && !isHandled(method));

  it(`all ${calls.length} answer as Trove calls them, with a typed exception or the truth`, async () => {
    const { id } = await detached('unhandled');
    for (const { method, version, args } of calls) {
      const answer = GUEST_METHODS.get(method)?.answer;
      const outcome = stage.trove.rpc(id, method, args, { version, timeout: 10 });
      if (answer?.by === 'result') {
        expect(await outcome, method).toEqual(answer.result);
      } else {
        const { message, remote } = await errorOf(outcome);
        expect(remote, method).toMatchObject({
          class: 'DatastoreOperationNotSupported',
          module: 'trove.common.exception',
        });
        expect(message).toContain(`The '${method}' operation is not supported`);
      }
    }
  });

  it('a backup that makes no sense is FAILED at once, and the instance shows why', async () => {
    const { id } = await detached('backup');
    const backup_info = { id: 'b-1', storage_driver: 'cinder', parent: null };
    await stage.trove.api(id, 'create_backup', { backup_info });
    const told = await until('Trove is told', async () =>
      (await stage.trove.published(id)).findLast(
        ({ method, args }) => method === 'update_backup' && args['state'] === 'FAILED',
      ),
    );
    expect(told.args).toMatchObject({ instance_id: id, backup_id: 'b-1', state: 'FAILED' });
    const fault = await until('the fault', async () =>
      (await stage.trove.instanceFaults(id)).at(0),
    );
    expect(fault.message).toContain('backup_info of create_backup cannot be used');
  });

  it('an upgrade is refused before anything is touched', async () => {
    const actor = await serving('upgrade');
    const before = pidsOf(actor);
    const { className, message } = await errorOf(callOf(actor)('pre_upgrade'));
    expect(className).toBe('GuestError');
    expect(message).toContain('rebuild the instance with the image of the new version');
    const fault = await until('the fault, which is all that a user reads', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(fault.message).toContain('rebuild the instance with the image of the new version');
    await callOf(actor)('upgrade', { upgrade_info: { datastore_version: '2' } });
    await actor.vm.untilLog(/a request failed.*method=upgrade/);
    expect(pidsOf(actor)).toEqual(before);
    expect((await stage.trove.serviceStatus(actor.id)).status).toBe(IN_SERVICE);
  });
});

describe('figures', () => {
  it('get_hwinfo shows the memory and the CPUs of the VM', async () => {
    const answer = await callOf(await detached('hwinfo'))('get_hwinfo');
    const kib = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    const cpus = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor\s*:/gm)?.length;
    expect(answer).toEqual({ mem_total: Number(kib), num_cpus: cpus });
  });

  it('get_diagnostics shows the agent', async () => {
    const actor = await detached('diagnostics');
    const answer = (await callOf(actor)('get_diagnostics')) as Record<string, unknown>;
    const { version } = JSON.parse(
      readFileSync(path.join(projectRoot, 'package.json'), 'utf8'),
    ) as { version: string };
    const now = await processFigures(`/proc/${actor.vm.agentPid ?? 0}/status`);
    expect(Object.keys(answer).sort()).toEqual(['version', ...Object.keys(now)].sort());
    expect(answer).toMatchObject({ version, fd_size: now.fd_size });
    expect(Number(answer['vm_peak'])).toBeLessThanOrEqual(now.vm_peak);
    expect(Number(answer['vm_hwm'])).toBeGreaterThan(10_000);
  });
});

describe('start_db_with_conf_changes', () => {
  it('starts a stopped node, and leaves one that serves alone', async () => {
    const actor = await serving('resize');
    const call = callOf(actor);
    await call('stop_db');
    await stage.trove.waitForStatus(actor.id, 'shutdown');
    const resized = { config_contents: '[k2hdkc]\n', ds_version: '1.0.14' };
    await call('start_db_with_conf_changes', resized);
    await stage.trove.waitForStatus(actor.id, IN_SERVICE);
    const pids = pidsOf(actor);
    expect(pids).not.toContain(undefined);

    await call('start_db_with_conf_changes', resized);
    expect(pidsOf(actor)).toEqual(pids);
    const configuration = { config_contents: '[k2hdkc]\n' };
    await expect(call('reset_configuration', { configuration })).resolves.toBeNull();
    expect(pidsOf(actor)).toEqual(pids);
  });

  it('is refused before prepare', async () => {
    const actor = await started('early');
    const kwargs = { config_contents: '', ds_version: '1.0.14' };
    const { message } = await errorOf(callOf(actor)('start_db_with_conf_changes', kwargs));
    expect(message).toContain('prepare is not over yet');
  });
});

describe('rebuild', () => {
  const rebuild = (actor: Actor, config_overrides: Record<string, unknown>) =>
    callOf(actor)('rebuild', { ds_version: '1.0.14', config_contents: '', config_overrides });

  it('sets a node up again whose root disk is new', async () => {
    const actor = await serving('rebuilt');
    const { vm, id, cluster, overrides } = actor;
    const hosts = stage.k2hr3.hosts(cluster);
    const before = await stage.trove.statusHistory(id);
    await vm.endAgent('SIGKILL');
    vm.kill('k2hdkc');
    vm.kill('chmpx');
    for (const lost of ['state', 'markers', 'k2hdkc.ini']) {
      await rm(vm.path(lost), { recursive: true, force: true });
    }
    await vm.startAgent();
    await rebuild(actor, overrides);
    await until('healthy again', async () => {
      const history = await stage.trove.statusHistory(id);
      return history.length > before.length && history.at(-1) === IN_SERVICE;
    });
    const history = await stage.trove.statusHistory(id);
    expect(history.slice(before.length)).toEqual(['building', IN_SERVICE]);
    expect(stage.k2hr3.hosts(cluster)).toEqual(hosts);
    await vm.untilServing();

    // Still a member of its cluster: the next cluster_complete is a shrink.
    await stage.trove.rpc(id, 'cluster_complete');
    expect(stage.k2hr3.hosts(cluster)).toEqual([]);
  });

  it('that makes no sense does not end a node that serves', async () => {
    const actor = await serving('not-rebuilt');
    const before = pidsOf(actor);
    const logged = (await actor.vm.log()).length;
    await rebuild(actor, { ...actor.overrides, 'chmpx-server-port': 40020 });
    await actor.vm.untilLog(/operation failed.*operation=rebuild.*40020/, logged);
    expect(pidsOf(actor)).toEqual(before);
    expect((await stage.trove.statusHistory(actor.id)).at(-1)).toBe(IN_SERVICE);
  });

  it('of a new node with wrong arguments ends as failed', async () => {
    const { id } = await started('rebuild-args');
    const args = { ds_version: '1', config_overrides: 'text' };
    await stage.trove.rpc(id, 'rebuild', args, { cast: true });
    await stage.trove.waitForStatus(id, 'failed to spawn');
  });
});

describe('versions', () => {
  it.each([
    ['a list', ['k2hdkc']],
    ['an empty text', ''],
    ['null', null],
  ])('1.0 of prepare, with %s of packages', async (_name, packages) => {
    const { id } = await started('packages');
    await stage.trove.rpc(id, 'prepare', { ...PREPARE, packages }, { cast: true });
    await stage.trove.waitForStatus(id, 'running');
  });

  it('what a Trove that is pinned to 1.0 sends works', async () => {
    const actor = await started('pinned');
    const { id, vm, overrides } = actor;
    const pinned = (method: string, kwargs: Record<string, unknown>) =>
      stage.trove.api(id, method, kwargs, { upgradeLevel: 'ussuri' });
    const volume = { device_path: null, mount_point: vm.dataDirectory };
    const prepare = { ...PREPARE, ...volume, packages: '', overrides, ds_version: '1.0.14' };
    await pinned('prepare', prepare);
    await stage.trove.waitForStatus(id, IN_SERVICE);
    await pinned('stop_db', { do_not_start_on_reboot: true });
    expect(vm.program('chmpx')).toBeUndefined();
    const desired = JSON.parse(readFileSync(vm.path('state/desired.json'), 'utf8')) as unknown;
    expect(desired).toMatchObject({ stopped: { bootId: null } });
    await pinned('start_db_with_conf_changes', { config_contents: '', ds_version: '1.0.14' });
    await vm.untilServing();
  });

  it.each(['1.4', '2.0', '0.9'])('%s is not served', async (version) => {
    const { id } = await started('version');
    const error = await errorOf(stage.trove.rpc(id, 'rpc_ping', {}, { version }));
    expect(error.remote).toMatchObject({ class: 'UnsupportedVersion' });
    for (const served of ['1.0', '1.1', '1.2', '1.3']) {
      await expect(stage.trove.rpc(id, 'rpc_ping', {}, { version: served })).resolves.toBe(true);
    }
  });
});

describe('arguments and context', () => {
  it('a wrong argument is named to the caller', async () => {
    const { id } = await detached('arguments');
    const error = await errorOf(stage.trove.rpc(id, 'update_overrides', { overrides: 'text' }));
    expect(error.remote).toMatchObject({ class: 'TypeError', module: 'builtins' });
    expect(error.message).toContain("argument 'overrides' has the wrong type");
  });

  it('a context key that nobody knows is carried to the conductor', async () => {
    const { id, secrets } = await started('context');
    const cipher = new Cipher(secrets[0] ?? '');
    const connection = await amqplib.connect(
      stage.broker.url(stage.vhost).replace('rabbit:', 'amqp:'),
    );
    try {
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, 'trove', 'trove-conductor');
      const ended = new Promise<Record<string, unknown>>((resolve) => {
        void channel.consume(queue, (message) => {
          const text = message?.content.toString() ?? '';
          const body = JSON.parse(text) as { 'oslo.message': string };
          const cast = JSON.parse(body['oslo.message']) as Record<string, unknown>;
          if (cast['method'] === 'notify_end') resolve(cast);
        });
      });
      const context = {
        request_id: 'req-1',
        user: null,
        odd_key: { deep: [1, null, 'é'] },
        trove_notification: { notification_classname: 'x.DBaaSInstanceCreate', server_type: 'g' },
      };
      const args = Object.entries(PREPARE).map(([name, value]) => [
        name,
        cipher.encryptJson(value),
      ]);
      const cast = {
        method: 'prepare',
        args: Object.fromEntries(args) as Record<string, string>,
        _unique_id: 'odd-context',
        _context_context: cipher.encryptJson(context),
      };
      const body = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(cast) };
      channel.publish('trove', `guestagent.${id}`, Buffer.from(JSON.stringify(body)), {
        contentType: 'application/json',
      });
      const notify = await ended;
      const carried = cipher.decryptJson(notify['_context_context']) as Record<string, unknown>;
      expect(carried).toMatchObject({ request_id: 'req-1', odd_key: context.odd_key });
    } finally {
      await connection.close();
    }
  });
});

describe('encryption', () => {
  it('a wrong key is one line that says what to compare', async () => {
    const actor = await stage.actor('wrong-key');
    const { id, vm } = actor;
    const other = 'k'.repeat(32);
    await writeFile(vm.path('conf.d/guest_info.conf'), guestInfoConf({ id, key: other }));
    await vm.startAgent();
    await vm.untilLog(/AMQP session ready/);
    for (let n = 0; n < 20; n++) {
      const { message } = await errorOf(callOf(actor)('rpc_ping'));
      expect(message).toContain('compare instance_rpc_encr_key in guest_info.conf');
    }
    const lines = (await vm.log()).split('\n').filter((line) => /<[0-4]>/.test(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('requests are refused: the request context');
    expect(lines[0]).toContain('encrypted_key in its table instances');
    expect(await vm.log()).not.toContain(other);
  });
});

describe('a change of the configuration group', () => {
  it('to another cluster leaves the old one and joins the new one', async () => {
    const actor = await serving('mover');
    const { vm, cluster } = actor;
    const k2hFile = path.join(vm.dataDirectory, 'there.k2h');
    const there = await stage.actor('there', { k2hFile });
    const logged = (await vm.log()).length;
    await callOf(actor)('update_overrides', { overrides: there.overrides, remove: false });
    expect(stage.k2hr3.hosts(cluster)).toEqual([]);
    expect(stage.k2hr3.hosts(there.cluster)).toHaveLength(1);
    expect(await vm.status()).toBe('[SERVICE IN][UP][n/a][Nothing][NoSuspend]');
    await stage.trove.waitForStatus(actor.id, IN_SERVICE);
    expect(readFileSync(vm.iniFile, 'utf8')).toContain(there.cluster);

    const steps = (await vm.log())
      .slice(logged)
      .match(/stopped program=\w+|unregistered from|registered in/g);
    expect([...new Set(steps)]).toEqual([
      'stopped program=k2hdkc',
      'stopped program=chmpx',
      'unregistered from',
      'registered in',
    ]);
  });

  it('that is not there is refused, and the node stays where it is', async () => {
    const actor = await serving('stays');
    const before = pidsOf(actor);
    const overrides = { ...actor.overrides, 'cluster-name': 'a b' };
    const outcome = callOf(actor)('update_overrides', { overrides, remove: false });
    expect((await errorOf(outcome)).message).toContain('cluster-name');
    expect(pidsOf(actor)).toEqual(before);
  });
});
