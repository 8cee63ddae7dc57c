import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { Broker } from '../peers/broker.ts';
import { playNodeStory } from './node-story.ts';
import { realPrograms, standIns } from './programs.ts';
import { Stage } from './stage.ts';
import { Timeline } from './timeline.ts';

it("one node's whole life", { timeout: 600_000 }, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-story-'));
  const real = process.env['K2HDKC_TEST_SUBJECT'] === 'real';
  const programs = real ? await realPrograms() : await standIns(directory);
  const lines: string[] = [];
  const timeline = new Timeline((line) => lines.push(line));
  const stage = await Stage.open(new Broker(inject('broker')), directory, programs);
  try {
    await playNodeStory(stage, timeline);
  } finally {
    await stage.close();
    process.stdout.write(`${timeline.table()}\n`);
  }
  expect(timeline.ok).toBe(true);
  await rm(directory, { recursive: true });
});
