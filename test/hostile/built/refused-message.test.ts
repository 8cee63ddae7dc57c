import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/oslo/envelope.ts';
import { RawCaller } from '../../helpers/raw-caller.ts';
import { until } from '../../helpers/until.ts';
import { startBroker, type Broker } from '../../peers/broker.ts';
import { Attacked } from './attacked.ts';

/** Bytes: a request of a third of it makes a notification that is larger. */
const LARGEST_OF_BROKER = 128 * 1024;
const PADDING = 'x'.repeat(60_000);

let directory: string;
let broker: Broker;
let attacked: Attacked;
let trove: RawCaller;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-refusing-'));
  broker = await startBroker(directory, { max_message_size: String(LARGEST_OF_BROKER) });
  const agentYaml = 'trove: { heartbeat_interval: 1 }\n';
  attacked = await Attacked.open({ agentYaml }, undefined, broker);
  const { stage, actor } = attacked;
  const transportUrl = broker.url(stage.vhost);
  const key = actor.secrets[0] ?? '';
  trove = await RawCaller.open({ transportUrl, exchange: 'trove', id: actor.id, key });
});

afterAll(async () => {
  await trove.close();
  await attacked.close();
  await broker.stop();
  await rm(directory, { recursive: true });
});

const said = (lines: readonly string[], text: string): string[] =>
  lines.filter((line) => line.includes(text));

async function heartbeats(): Promise<number> {
  const published = await attacked.stage.trove.published(attacked.actor.id);
  return published.filter(({ method }) => method === 'heartbeat').length;
}

async function outbox(folder = ''): Promise<string[]> {
  const there = await readdir(attacked.actor.vm.path(`state/outbox/${folder}`)).catch(() => []);
  return there.filter((name) => name.endsWith('.json'));
}

/** Waits until Trove has heard of this node so many times more. */
async function statusesGoOn(times = 3): Promise<void> {
  const before = await heartbeats();
  await until('statuses go on', async () => (await heartbeats()) >= before + times);
}

it('a notification that the broker refuses (406) is put aside after five tries, and statuses go on', async () => {
  const { actor } = attacked;
  const { length } = await actor.vm.log();
  const context = {
    request_id: 'req-large',
    user: 'u',
    trove_notification: { event_type: 'DBaaSBackupCreate', padding: PADDING },
  };
  const sealed = trove.request('x', { context })['args'] as JsonObject;
  // It fails at once, which Trove is notified of.
  const args = { backup_info: { id: 'b-1', parent: { location: 'http://x/c/p.gz' } } };
  await trove.send(trove.request('create_backup', args, { _context_context: sealed['context'] }));
  await actor.vm.untilLog(/a message to the conductor was refused.*406/, length);
  await statusesGoOn();
  await actor.vm.untilLog(/it was put into outbox\/refused/, length);

  const lines = await attacked.linesSince(length);
  expect(said(lines, 'a message to the conductor was refused')).toHaveLength(5);
  expect(lines.filter((line) => /^<[0-3]>/.test(line))).toHaveLength(1);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20_000);
  expect(await outbox('refused')).toHaveLength(1);
  const [concern] = await until('it concerns somebody', async () => {
    const { concerns } = await attacked.status();
    return concerns.length > 0 && concerns;
  });
  expect(concern).toMatchObject({ kind: 'not-reported', subject: 'conductor' });
  expect((await attacked.shownStatus()).code).toBe(2);
  await statusesGoOn();
  await until('nothing waits', async () => (await outbox()).length === 0);
});

it('it is not sent again by the next agent', async () => {
  const { actor } = attacked;
  const { length } = await actor.vm.log();
  await actor.vm.endAgent('SIGKILL');
  await actor.vm.startAgent();
  await actor.vm.untilLog(/AMQP session ready/, length);
  await statusesGoOn();
  expect(said(await attacked.linesSince(length), 'was refused')).toEqual([]);
  expect(await outbox('refused')).toHaveLength(1);
});
