import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

const EXCHANGE = 'trove';
const CONDUCTOR = 'trove-conductor';
const AGENT_YAML = 'amqp:\n  reconnect_cap: 0.5\n';

let directory: string;
let stage: Stage;
let client: ChannelModel;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-away-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
  client = await connect(stage.broker.url(stage.vhost).replace('rabbit:', 'amqp:'));
});

afterAll(async () => {
  await client.close();
  await stage.close();
  await rm(directory, { recursive: true });
});

/** What keeps something away until it is brought back. */
interface Away {
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Nothing takes what is published for the conductor: the broker confirms it, and gives it back. */
async function noConductor({ vm }: Actor): Promise<Away> {
  const channel = await client.createChannel();
  const queues = (await stage.broker.listQueues(stage.vhost)).map(({ name }) => name);
  const takers = queues.filter((name) => name === CONDUCTOR || name.startsWith('tap-'));
  expect(takers).toHaveLength(2);
  return {
    leave: async () => {
      for (const queue of takers) await channel.unbindQueue(queue, EXCHANGE, CONDUCTOR);
    },
    comeBack: async () => {
      const agent = vm.agentPid ?? NaN;
      process.kill(agent, 'SIGSTOP'); // or one of the two could get what the other does not
      for (const queue of takers) await channel.bindQueue(queue, EXCHANGE, CONDUCTOR);
      process.kill(agent, 'SIGCONT');
      await channel.close();
    },
  };
}

/** The agent cannot reach the broker; connections are refused. */
async function noBroker({ vm }: Actor): Promise<Away> {
  const { port } = stage.broker.description;
  let proxy = await TcpProxy.start(port);
  const listensOn = proxy.port;
  const file = vm.path('conf.d/trove-guestagent.conf');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(`127.0.0.1:${port}`, `127.0.0.1:${listensOn}`));
  return {
    leave: () => {
      proxy.close();
      return Promise.resolve();
    },
    comeBack: async () => {
      proxy = await TcpProxy.start(port, { port: listensOn });
    },
  };
}

const ways: [string, (actor: Actor) => Promise<Away>][] = [
  ['the conductor has no queue', noConductor],
  ['the broker cannot be reached', noBroker],
];
const outboxOf = ({ vm }: Actor): Promise<string[]> => readdir(vm.path('state/outbox'));

/** What was published for an instance, in words: statuses, and methods that are none. */
async function publishedWords(id: string): Promise<string[]> {
  const words = (await stage.trove.published(id)).map(({ method, args }) => {
    const payload = args['payload'] as { service_status?: string } | undefined;
    return payload?.service_status ?? method;
  });
  return words.filter((word, index) => word !== words[index - 1]);
}

async function expectSentIncreases(id: string): Promise<void> {
  const beats = (await stage.trove.published(id)).filter(({ method }) => method === 'heartbeat');
  const sent = beats.map(({ args }) => args['sent'] as number);
  expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
}

describe.each(ways)('while %s', (_name, make) => {
  it.each([
    ['lives on', false],
    ['is killed and started again', true],
  ])('a prepare ends, the agent %s, and Trove hears in order what is true', async (_, isKilled) => {
    const actor = await stage.actor('away', { agentYaml: AGENT_YAML });
    const { id, vm } = actor;
    const away = await make(actor);
    await vm.startAgent();
    await vm.untilLog(/AMQP session ready/);
    stage.k2hr3.faults.delayMs = 500;
    await stage.prepare(actor, { clustered: true });
    await stage.trove.waitForStatus(id, 'building');
    await away.leave();
    stage.k2hr3.faults.delayMs = 0;

    await vm.untilLog(/operation done.*operation=prepare/);
    expect(await outboxOf(actor)).toHaveLength(1);
    if (isKilled) {
      await vm.endAgent('SIGKILL');
      const logged = (await vm.log()).length;
      await vm.startAgent();
      await vm.untilLog(/status for Trove.*healthy/, logged);
      expect(await outboxOf(actor)).toHaveLength(1);
    }
    expect(await publishedWords(id)).toEqual(['building']);

    await away.comeBack();
    await stage.trove.waitForStatus(id, 'healthy');
    await until('the notification', () => stage.trove.notifications(id).length > 0);
    expect(await publishedWords(id)).toEqual(['building', 'healthy', 'notify_end']);
    expect(stage.trove.notifications(id)).toHaveLength(1);
    await until('the outbox is empty', async () => (await outboxOf(actor)).length === 0);
    await expectSentIncreases(id);
  });

  it('a node falls out and comes back, and Trove hears only that it is healthy', async () => {
    const actor = await stage.actor('falls', { agentYaml: AGENT_YAML });
    const { id, vm } = actor;
    const away = await make(actor);
    await stage.prepare(actor, { clustered: false });
    await vm.startAgent();
    await stage.trove.waitForStatus(id, 'healthy');
    await away.leave();

    const logged = (await vm.log()).length;
    vm.kill('chmpx');
    await vm.untilLog(/status for Trove.*running/, logged);
    await vm.untilLog(/status for Trove.*healthy/, logged);
    const beats = (await stage.trove.published(id)).length;
    await away.comeBack();
    await until('a heartbeat', async () => (await stage.trove.published(id)).length > beats);
    expect(await stage.trove.statusHistory(id)).toEqual(['building', 'healthy']);
    await expectSentIncreases(id);
  });
});

describe('a backup that has failed at once', () => {
  /** Has Trove ask for one that is refused; resolves with its id. */
  async function ask({ id }: Actor): Promise<string> {
    const backupId = randomUUID();
    await stage.trove.addBackup(backupId, id);
    const backup_info = { id: backupId, parent: { location: 'http://swift/v1/A/c/p.gz' } };
    await stage.trove.api(id, 'create_backup', { backup_info }, { authToken: 'a-token' });
    return backupId;
  }

  /** What was said of a backup: its state, and when (seconds). */
  async function told({ id }: Actor, backupId: string): Promise<[unknown, number][]> {
    const published = (await stage.trove.published(id)).map(({ args }) => args);
    const ofBackup = published.filter((args) => args['backup_id'] === backupId);
    return ofBackup.map(({ state, sent }) => [state, Number(sent)]);
  }

  const failed = (backupId: string): Promise<unknown> =>
    until('it has failed in Trove', async () => {
      return (await stage.trove.backup(backupId)).state === 'FAILED';
    });

  it('while nobody listened has failed in Trove, too: BUILDING does not come with it', async () => {
    const actor = await stage.actor('waits', { agentYaml: AGENT_YAML });
    await actor.vm.startAgent();
    await actor.vm.untilLog(/AMQP session ready/);
    const away = await noConductor(actor);
    await away.leave();
    const backupId = await ask(actor);
    await until('all is said', async () => (await outboxOf(actor)).length === 3);
    await away.comeBack();
    await until('all is told', async () => (await outboxOf(actor)).length === 0);
    const [building, end] = await told(actor, backupId);
    expect([building?.[0], end?.[0]]).toEqual(['BUILDING', 'FAILED']);
    expect((end?.[1] ?? NaN) - (building?.[1] ?? NaN)).toBeGreaterThan(0.9);
    await failed(backupId);
    const fault = await until('its fault is there', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(fault.message).toContain('no incremental');
  });

  it('is told again when the conductor’s queue went with the broker', async () => {
    const actor = await stage.actor('lost', { agentYaml: AGENT_YAML });
    const away = await noBroker(actor);
    await actor.vm.startAgent();
    await actor.vm.untilLog(/AMQP session ready/);
    // Somebody takes it, so that it is confirmed, and it does not get to the conductor.
    const channel = await client.createChannel();
    await channel.unbindQueue(CONDUCTOR, EXCHANGE, CONDUCTOR);
    const backupId = await ask(actor);
    await until('it is told', async () => (await told(actor, backupId)).length === 2);
    await until('it is confirmed', async () => (await outboxOf(actor)).length === 0);
    expect((await stage.trove.backup(backupId)).state).toBe('NEW');
    await away.leave();
    await channel.bindQueue(CONDUCTOR, EXCHANGE, CONDUCTOR);
    await channel.close();
    await away.comeBack();
    await failed(backupId);
    expect((await told(actor, backupId)).map(([state]) => state)).toEqual([
      'BUILDING',
      'FAILED',
      'FAILED',
    ]);
  });
});
