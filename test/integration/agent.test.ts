import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import amqplib from 'amqplib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor, type ActorOptions } from '../story/stage.ts';

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

/** An actor whose agent runs; its prepare is sent and ends with `status`. */
async function prepared(
  name: string,
  status: string,
  options: ActorOptions & { clustered?: boolean } = {},
): Promise<Actor> {
  const actor = await stage.actor(name, options);
  await stage.prepare(actor, { clustered: options.clustered ?? true });
  await actor.vm.startAgent();
  await stage.trove.waitForStatus(actor.id, status);
  return actor;
}

const callOf =
  (actor: Actor) =>
  (method: string, kwargs: Record<string, unknown> = {}) =>
    stage.trove.api(actor.id, method, kwargs);

describe('prepare', () => {
  it('with a port above 32767 fails, and Trove shows why', async () => {
    const actor = await prepared('port', 'failed to spawn', {
      overrides: { 'chmpx-server-port': 40020 },
    });
    const fault = await until('the fault is in Trove’s database', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(fault.message).toContain('chmpx-server-port = 40020');
    expect(actor.vm.program('chmpx')).toBeUndefined();
    expect(stage.k2hr3.hosts(actor.cluster)).toEqual([]);
  });

  it('with the extdata-url of another cluster fails at once, and registers nowhere', async () => {
    const other = await stage.actor('other');
    const actor = await prepared('named', 'failed to spawn', {
      overrides: { 'extdata-url': other.overrides['extdata-url'] },
    });
    const fault = await until('the fault is in Trove’s database', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(fault.message).toContain(`the extdata-url is that of the cluster ${other.cluster}`);
    expect(stage.k2hr3.hosts(other.cluster)).toEqual([]);
    expect(stage.k2hr3.hosts(actor.cluster)).toEqual([]);
  });

  it('that failed shows our reason in the end, whatever Trove writes over it', async () => {
    const actor = await prepared('words', 'failed to spawn', {
      agentYaml: 'trove:\n  repeat_after_delivery: 8\n',
      overrides: { 'chmpx-server-port': 40020 },
    });
    const { id } = actor;
    const shown = async (): Promise<string> =>
      (await stage.trove.instanceFaults(id)).at(0)?.message ?? '';
    await until('our fault is there', async () => (await shown()).includes('40020'));
    const theirs = 'Service not active, status: failed to spawn';
    await until('Trove has written its own over it', async () => {
      await stage.trove.writeFault(id, theirs);
      return (await shown()) === theirs;
    });
    await until('ours is there again', async () => (await shown()).includes('40020'));
  });

  it('with wrong arguments fails, and Trove shows why', async () => {
    const actor = await stage.actor('arguments');
    await actor.vm.startAgent();
    await actor.vm.untilLog(/AMQP session ready/);
    await stage.trove.rpc(actor.id, 'prepare', { bogus: 1 }, { cast: true });
    await stage.trove.waitForStatus(actor.id, 'failed to spawn');
  });

  it('without a configuration group ends detached, attaching joins, detaching leaves', async () => {
    const actor = await stage.actor('detached');
    const { overrides, vm, cluster } = actor;
    await stage.prepare({ ...actor, overrides: {} }, { clustered: true });
    await vm.startAgent();
    await stage.trove.waitForStatus(actor.id, 'running');
    expect(vm.program('chmpx')).toBeUndefined();

    const call = callOf(actor);
    await call('update_overrides', { overrides, remove: false });
    await call('apply_overrides', { overrides });
    await stage.trove.waitForStatus(actor.id, 'healthy');
    expect(stage.k2hr3.hosts(cluster)).toHaveLength(1);

    await call('update_overrides', { overrides: {}, remove: true });
    await stage.trove.waitForStatus(actor.id, 'running');
    expect(vm.program('chmpx')).toBeUndefined();
    expect(vm.program('k2hdkc')).toBeUndefined();
    expect(stage.k2hr3.hosts(cluster)).toEqual([]);
  });

  it('succeeds although K2HR3 loses registrations that it answered with 201', async () => {
    stage.k2hr3.faults.loseRegistrations = 2;
    const actor = await prepared('lost', 'healthy');
    expect(stage.k2hr3.faults.loseRegistrations).toBe(0);
    expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
  });

  it('does not publish a role with a port above 32767', async () => {
    const actor = await stage.actor('role-port', {
      rolePort: 40020,
      overrides: { 'chmpx-server-port': undefined },
    });
    await stage.prepare(actor, { clustered: true });
    await actor.vm.startAgent();
    const line = await actor.vm.untilLog(/role resource is refused/);
    expect(line).toMatch(/PORT.*40020/);
    await expect(readFile(actor.vm.iniFile)).rejects.toThrow('ENOENT');
    expect(await stage.trove.statusHistory(actor.id)).toEqual(['building']);
  });
});

describe('a serving node', () => {
  it('answers again after the broker closed its connection and lost its queue', async () => {
    const actor = await prepared('cut', 'healthy');
    const { vm, id } = actor;
    const logged = (await vm.log()).length;
    await stage.broker.closeAllConnections(stage.vhost);
    await vm.untilLog(/AMQP session ready/, logged);
    await expect(callOf(actor)('rpc_ping')).resolves.toBe(true);

    const again = (await vm.log()).length;
    await stage.broker.deleteQueue(stage.vhost, `guestagent.${id}`);
    await vm.untilLog(/AMQP session ready/, again);
    await expect(callOf(actor)('rpc_ping')).resolves.toBe(true);
  });

  it('keeps its last good configuration while K2HR3 is away, over a restart and a crash', async () => {
    const actor = await prepared('away', 'healthy');
    const { vm, id } = actor;
    const ini = await readFile(vm.iniFile, 'utf8');
    await stage.k2hr3.goDown();
    try {
      await vm.endAgent('SIGKILL');
      vm.kill('k2hdkc');
      vm.kill('chmpx');
      await vm.startAgent();
      await vm.untilServing();
      await stage.trove.waitForStatus(id, 'healthy');
      expect(await readFile(vm.iniFile, 'utf8')).toBe(ini);
    } finally {
      await stage.k2hr3.comeBack();
    }
  });

  it('comes back when k2hdkc dies, with the same chmpx', async () => {
    const { vm } = await prepared('k2hdkc', 'healthy');
    const [chmpx, k2hdkc] = [vm.program('chmpx'), vm.program('k2hdkc')];
    vm.kill('k2hdkc');
    await until(
      'another k2hdkc',
      () => vm.program('k2hdkc')?.pid !== k2hdkc?.pid && vm.program('k2hdkc'),
    );
    await vm.untilServing();
    expect(vm.program('chmpx')).toEqual(chmpx);
  });

  it('ends in good order when it is told so while a tool runs', async () => {
    const [tool, hold] = [path.join(directory, 'slow-status'), path.join(directory, 'hold')];
    const { program } = await standIns(directory);
    const held = `[ -e ${hold} ] && echo $$ >> ${hold} && exec sleep 30`;
    await writeFile(tool, `#!/bin/sh\n${held}\nexec ${program('chmpxstatus')} "$@"\n`, {
      mode: 0o755,
    });
    const { vm } = await prepared('told', 'healthy', {
      agentYaml: `programs:\n  chmpxstatus: ${tool}\n`,
    });
    await writeFile(hold, '');
    await until('the tool runs', async () => (await readFile(hold, 'utf8')) !== '');
    expect(await vm.endAgent('SIGTERM')).toBe(0);
    expect(await vm.log()).toContain('told to end signal=SIGTERM');
  });

  it('registers again when it is removed from the role', async () => {
    const { vm, cluster } = await prepared('removed', 'healthy', {
      agentYaml: 'k2hr3:\n  poll_interval: 0.5\n',
    });
    const [host] = stage.k2hr3.hosts(cluster);
    stage.k2hr3.removeHost(cluster, host?.cuk ?? '');
    await until('it is registered again', () => stage.k2hr3.hosts(cluster).length === 1);
    await vm.untilServing();
  });

  it('stays stopped after stop_db over a restart of the agent', async () => {
    const actor = await prepared('stopped', 'healthy');
    await callOf(actor)('stop_db');
    await actor.vm.endAgent('SIGTERM');
    const logged = (await actor.vm.log()).length;
    await actor.vm.startAgent();
    await actor.vm.untilLog(/status for Trove.*status=shutdown/, logged);
    expect(actor.vm.program('chmpx')).toBeUndefined();
    expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
  });

  it('leaves at a second cluster_complete and joins again when it is not deleted', async () => {
    const { id, vm, cluster } = await prepared('shrink', 'healthy', {
      agentYaml: 'cluster:\n  rejoin_after: 3\n',
    });
    await stage.trove.rpc(id, 'cluster_complete');
    await stage.trove.rpc(id, 'cluster_complete');
    expect(stage.k2hr3.hosts(cluster)).toEqual([]);
    expect(vm.program('chmpx')).toBeUndefined();
    expect((await stage.trove.serviceStatus(id)).status).toBe('healthy');
    await vm.untilLog(/end-shrink/);
    await vm.untilServing();
    await until('the last word is healthy', async () => {
      return (await stage.trove.statusHistory(id)).at(-1) === 'healthy';
    });
  });

  it('refuses a request that is not encrypted with its key', async () => {
    const actor = await prepared('key', 'healthy');
    const url = stage.broker.url(stage.vhost).replace('rabbit:', 'amqp:');
    const connection = await amqplib.connect(url);
    try {
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      const reply = new Promise<string>((resolve) => {
        void channel.consume(queue, (message) => resolve(message?.content.toString() ?? ''));
      });
      const request = { method: 'rpc_ping', args: {}, version: '1.0', _context_user: 'somebody' };
      const call = { ...request, _msg_id: 'm', _reply_q: queue, _unique_id: 'plain-text' };
      const body = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(call) };
      channel.publish('trove', `guestagent.${actor.id}`, Buffer.from(JSON.stringify(body)), {
        contentType: 'application/json',
      });
      const answer = JSON.parse(await reply) as { 'oslo.message': string };
      expect(answer['oslo.message']).toContain('BadRequest');
    } finally {
      await connection.close();
    }
    await expect(callOf(actor)('rpc_ping')).resolves.toBe(true);
  });

  it('lets no secret into its log and keeps its state to itself', async () => {
    const actor = await prepared('secret', 'healthy');
    await callOf(actor)('update_overrides', { overrides: actor.overrides, remove: false });
    const log = await actor.vm.log();
    const password = new URL(stage.broker.url(stage.vhost).replace('rabbit:', 'http:')).password;
    for (const secret of [...actor.secrets, password]) expect(log).not.toContain(secret);
    expect(await readdir(actor.vm.path('state/journal/open'))).toEqual([]);
  });
});
