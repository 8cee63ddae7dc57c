import { mkdir } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createGuestReports } from '../../../src/app/server/guest-reports.ts';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import { until } from '../../helpers/until.ts';
import { desiredState, observed } from '../../node/builders.ts';
import { ScriptedPublisher } from '../../oslo/scripted-publisher.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** What reports to Trove of a node that serves, and the broker that it has. */
async function bench() {
  const settings = await configured({
    guestAgent: 'conductor_queue = the-conductor\ncontrol_exchange = trove',
  });
  const directory = settings.agent.paths.state_dir;
  await mkdir(directory);
  const desired = await DesiredStateStore.open(directory);
  const snapshot: Snapshot = {
    desired: desired.current,
    observed: observed(),
    state: 'serving',
    step: { kind: 'rest', why: 'serving' },
  };
  const publisher = new ScriptedPublisher();
  const connected: (() => void)[] = [];
  const { world } = recordedWorld();
  const { outbox, reporter } = await createGuestReports({
    ...world,
    settings,
    state: { directory, desired },
    session: {
      publish: (message) => publisher.publish(message),
      onConnected: (run) => {
        connected.push(run);
        return () => undefined;
      },
    },
    reconciler: { snapshot },
  });
  const ending = new AbortController();
  const running = [outbox.run(ending.signal), reporter.run(ending.signal)];
  onTestFinished(async () => {
    ending.abort();
    await Promise.all(running);
  });
  const sent = (): string[] =>
    publisher.published.map(({ exchange, routingKey }) => `${exchange} ${routingKey}`);
  return { desired, publisher, connected, sent };
}

it('says what has become of the node as soon as the wish changes, to the conductor', async () => {
  const { desired, publisher, sent } = await bench();
  await desired.update(desiredState());
  await until('a report is sent', () => publisher.published.length > 0);
  expect(sent()[0]).toBe('trove the-conductor');
  expect(publisher.messages[0]).toMatchObject({ method: 'heartbeat' });
  expect(JSON.stringify(publisher.messages[0])).toContain('healthy');
});

it('says it again when the broker is back', async () => {
  const { desired, publisher, connected } = await bench();
  await desired.update(desiredState());
  // It is said twice at a change, and then not before the interval has passed.
  await until('it was said twice', () => publisher.published.length === 2, { seconds: 20 });
  for (const run of connected) run();
  await until('it is said again', () => publisher.published.length > 2, { seconds: 20 });
});
