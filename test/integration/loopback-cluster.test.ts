import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { Broker } from '../peers/broker.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { playClusterStory } from '../story/cluster-story.ts';
import { openMachines } from '../story/machines/open.ts';
import { standIns } from '../story/programs.ts';
import { Timeline } from '../story/timeline.ts';

// The demo plays it on simulated VMs, and with the stand-ins' bad luck.
it("a cluster's life on loopback addresses", { timeout: 900_000 }, async () => {
  const directory = await temporaryDirectory();
  const lines: string[] = [];
  const timeline = new Timeline((line) => lines.push(line));
  await mkdir(path.join(directory, 'cluster'));
  const machines = await openMachines(
    path.join(directory, 'machines'),
    await standIns(directory),
    { loopback: true },
    { ANTPICKAX_STANDIN_HAZARDS: 'none' },
  );
  const stage = await ClusterStage.open(
    new Broker(inject('broker')),
    machines,
    path.join(directory, 'cluster'),
  );
  try {
    await playClusterStory(stage, timeline, { outageSeconds: 5, keys: 100 });
  } finally {
    await machines.close();
    await stage.close();
    process.stdout.write(`${timeline.table()}\n`);
  }
  expect(timeline.ok).toBe(true);
});
