import { expect, it, onTestFinished } from 'vitest';
import { openAgentState } from '../../../src/app/agent-state.ts';
import { createGuestReports } from '../../../src/app/server/guest-reports.ts';
import { createGuestServer } from '../../../src/app/server/guest-server.ts';
import { createNodeAgent } from '../../../src/app/node/node-agent.ts';
import { runParts } from '../../../src/app/running.ts';
import { Journal } from '../../../src/guest/journal.ts';
import type { JsonObject } from '../../../src/oslo/envelope.ts';
import { until } from '../../helpers/until.ts';
import { ScriptedPublisher } from '../../oslo/scripted-publisher.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** What serves the guest API of a new instance, and what the broker is given. */
async function bench() {
  const settings = await configured();
  const { world } = recordedWorld();
  const state = await openAgentState(settings.agent.paths.state_dir);
  onTestFinished(state.unlock);
  const publisher = new ScriptedPublisher();
  const session = {
    publish: publisher.publish.bind(publisher),
    onConnected: () => () => undefined,
  };
  const common = { ...world, settings, state, version: '1.2.3' };
  const node = await createNodeAgent({ ...common, onLook: () => undefined });
  const reports = await createGuestReports({ ...common, session, reconciler: node.reconciler });
  const journal = await Journal.open(state.directory, state.bootId);
  const ending = new AbortController();
  const server = await createGuestServer({
    ...common,
    ...reports,
    publisher,
    journal,
    node,
    ending: ending.signal,
  });
  const running = runParts([...node.parts, reports.outbox], ending);
  onTestFinished(() => running.end());
  const deliver = (message: JsonObject): void => {
    void server.onDelivery({
      content: Buffer.from(JSON.stringify({ args: {}, _unique_id: 'u1', ...message })),
      contentType: 'application/json',
      headers: {},
      routingKey: 'guestagent.g-1',
      redelivered: false,
      ack: () => undefined,
      reject: () => undefined,
    });
  };
  const sent = (what: string, words: string): Promise<JsonObject> =>
    until(what, () => publisher.messages.find((one) => JSON.stringify(one).includes(words)));
  return { deliver, sent, reconciler: node.reconciler };
}

it('answers a call with what this VM has', async () => {
  const { deliver, sent } = await bench();
  deliver({ method: 'get_hwinfo', _msg_id: 'm1', _reply_q: 'r1' });
  const { result } = await sent('the answer', 'num_cpus');
  expect(result).toMatchObject({ num_cpus: expect.any(Number) as number });
});

it('refuses what an instance that is not prepared cannot do', async () => {
  const { deliver, sent } = await bench();
  deliver({ method: 'restart', _msg_id: 'm1', _reply_q: 'r1' });
  const answer = await sent('the answer', 'failure');
  expect(answer['failure']).not.toBeNull();
});

it('has Trove show that a prepare could not be run', async () => {
  const { deliver, sent, reconciler } = await bench();
  await until('the node was looked at', () => reconciler.snapshot);
  deliver({ method: 'prepare', args: { nonsense: 1 } });
  expect(await sent('its status', 'failed to spawn')).toMatchObject({ method: 'heartbeat' });
});
