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

/** A heartbeat as it was published: when (s), its status and its `sent`. */
interface Beat {
  at: number;
  status: string;
  sent: number;
}

async function beatsOf(id: string): Promise<Beat[]> {
  const published = await stage.trove.published(id);
  return published
    .filter(({ method }) => method === 'heartbeat')
    .map(({ at, args }) => ({
      at,
      status: (args['payload'] as { service_status: string }).service_status,
      sent: args['sent'] as number,
    }));
}

/** The longest pause between two heartbeats, in seconds. */
function longestPause(beats: readonly Beat[]): number {
  return Math.max(...beats.slice(1).map(({ at }, n) => at - (beats[n]?.at ?? NaN)));
}

it('come as often as configured, and a sent of a killed agent is never used again', async () => {
  const agentYaml = 'trove:\n  heartbeat_interval: 1\n';
  const actor = await stage.actor('beating', { agentYaml });
  const { id, vm } = actor;
  await vm.startAgent();
  await stage.prepare({ ...actor, overrides: {} }, { clustered: false });
  await stage.trove.waitForStatus(id, 'running', 20_000);

  const first = (await beatsOf(id)).length;
  const beats = await until('some heartbeats', async () => {
    const seen = (await beatsOf(id)).slice(first);
    return seen.length >= 5 && seen;
  });
  expect(longestPause(beats)).toBeLessThan(1.5);

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await vm.endAgent(signal);
    const before = (await beatsOf(id)).length;
    await vm.startAgent();
    await until('it beats again', async () => (await beatsOf(id)).length > before + 2);
  }
  const sent = (await beatsOf(id)).map((beat) => beat.sent);
  expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
});

it('of a change come within a second', async () => {
  const actor = await stage.actor('changing');
  const { id, vm } = actor;
  await stage.prepare(actor, { clustered: false });
  await vm.startAgent();
  await stage.trove.waitForStatus(id, 'healthy', 30_000);

  const before = (await beatsOf(id)).length;
  const next = (status: string): Promise<Beat> =>
    until(`a heartbeat that says ${status}`, async () =>
      (await beatsOf(id)).slice(before).find((beat) => beat.status === status),
    );
  const killed = Date.now() / 1000;
  vm.kill('chmpx');
  expect((await next('running')).at - killed).toBeLessThan(1);
  await vm.untilServing();
  const serving = Date.now() / 1000;
  expect((await next('healthy')).at - serving).toBeLessThan(1);
});
