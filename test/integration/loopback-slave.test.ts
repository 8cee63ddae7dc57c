import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { Broker } from '../peers/broker.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { openMachines } from '../story/machines/open.ts';
import { standIns } from '../story/programs.ts';
import { playSlaveStory } from '../story/slave-story.ts';
import { Timeline } from '../story/timeline.ts';

it("a slave's life beside a cluster, on loopback addresses", { timeout: 900_000 }, async () => {
  const directory = await temporaryDirectory();
  const timeline = new Timeline(() => undefined);
  await mkdir(path.join(directory, 'cluster'));
  const machines = await openMachines(
    path.join(directory, 'machines'),
    await standIns(directory),
    { loopback: true },
    { ANTPICKAX_STANDIN_HAZARDS: 'none' },
  );
  const broker = new Broker(inject('broker'));
  const stage = await ClusterStage.open(broker, machines, path.join(directory, 'cluster'));
  try {
    await playSlaveStory(stage, timeline);
  } finally {
    await machines.close();
    await stage.close();
    process.stdout.write(`${timeline.table()}\n`);
  }
  expect(timeline.ok).toBe(true);
});
