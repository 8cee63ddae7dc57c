import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { Broker } from '../peers/broker.ts';
import { Lab } from '../peers/vm/lab.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { playClusterStory } from '../story/cluster-story.ts';
import { LabMachines } from '../story/machines/lab-machines.ts';
import { realPrograms } from '../story/programs.ts';
import { Timeline } from '../story/timeline.ts';

it("a cluster's life on simulated VMs", { timeout: 600_000 }, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-cluster-'));
  const programs = path.dirname((await realPrograms()).program('chmpx'));
  const lab = await Lab.open(path.join(directory, 'lab'), { programs });
  const lines: string[] = [];
  const timeline = new Timeline((line) => lines.push(line));
  const stage = await ClusterStage.open(
    new Broker(inject('broker')),
    new LabMachines(lab),
    directory,
  );
  try {
    await playClusterStory(stage, timeline, { outageSeconds: 60, keys: 500 });
  } finally {
    await lab.close();
    await stage.close();
    process.stdout.write(`${timeline.table()}\n`);
  }
  expect(timeline.ok).toBe(true);
  await rm(directory, { recursive: true });
});
