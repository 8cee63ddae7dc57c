import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-beats-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** A heartbeat as it was published: its status and its `sent`. */
interface Beat {
  status: string;
  sent: number;
}

async function beatsOf(id: string): Promise<Beat[]> {
  const published = await stage.trove.published(id);
  return published
    .filter(({ method }) => method === 'heartbeat')
    .map(({ args }) => ({
      status: (args['payload'] as { service_status: string }).service_status,
      sent: args['sent'] as number,
    }));
}

it('come as often as configured, and a sent of a killed agent is never used again', async () => {
  const agentYaml = 'trove:\n  heartbeat_interval: 1\n';
  const actor = await stage.actor('beating', { agentYaml });
  const { id, vm } = actor;
  await vm.startAgent();
  await stage.prepare({ ...actor, overrides: {} }, { clustered: false });
  await stage.trove.waitForStatus(id, 'running');

  const first = (await beatsOf(id)).length;
  // By default these would take four minutes.
  await until('eight heartbeats', async () => (await beatsOf(id)).length >= first + 8);

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await vm.endAgent(signal);
    const before = (await beatsOf(id)).length;
    await vm.startAgent();
    await until('it beats again', async () => (await beatsOf(id)).length > before + 2);
  }
  const sent = (await beatsOf(id)).map((beat) => beat.sent);
  expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
});

it('of a change come at once, not with the next regular one', async () => {
  const agentYaml = 'trove:\n  heartbeat_interval: 60\n';
  const actor = await stage.actor('changing', { agentYaml });
  const { id, vm } = actor;
  await stage.prepare(actor, { clustered: false });
  await vm.startAgent();
  await stage.trove.waitForStatus(id, 'healthy');

  // What lasts for a second only is said at all when it is said at once.
  const before = (await beatsOf(id)).length;
  vm.kill('chmpx');
  const said = await until('it is healthy again', async () => {
    const beats = (await beatsOf(id)).slice(before);
    return beats.some(({ status }) => status === 'healthy') && beats;
  });
  expect(said.map(({ status }) => status)).toContain('running');
});
