import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { Broker } from '../peers/broker.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { openMachines } from '../story/machines/open.ts';
import { realPrograms } from '../story/programs.ts';
import { playSlaveStory } from '../story/slave-story.ts';
import { Timeline } from '../story/timeline.ts';

it("a slave's life beside a cluster that grows and shrinks", { timeout: 600_000 }, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-slave-'));
  const programs = await realPrograms();
  const machines = await openMachines(path.join(directory, 'machines'), programs, {
    loopback: false,
  });
  const timeline = new Timeline(() => undefined);
  const stage = await ClusterStage.open(new Broker(inject('broker')), machines, directory);
  try {
    await playSlaveStory(stage, timeline);
  } finally {
    await machines.close();
    await stage.close();
    process.stdout.write(`${timeline.table()}\n`);
  }
  expect(timeline.ok).toBe(true);
  await rm(directory, { recursive: true });
});
