import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { LeaveRecord } from '../../../src/ring/change/leave-record.ts';
import { IDLE, type Leave } from '../../../src/ring/change/leave.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const LIMITS = { stop: 10_000, good: 170_000 };

/** A state directory, and records of agents of which each has a monotonic clock of its own. */
async function bench() {
  const stateDirectory = await temporaryDirectory();
  const wall = { ms: 1_000_000 };
  const { log, texts } = recordingLog();
  const agent = (monotonic: number): LeaveRecord => {
    const clock: Clock = {
      wall: () => wall.ms,
      monotonic: () => monotonic,
      after: () => () => undefined,
    };
    return new LeaveRecord({ stateDirectory, limits: LIMITS, clock, log });
  };
  return { stateDirectory, wall, agent, texts, file: path.join(stateDirectory, 'leave.json') };
}

const at = (is: 'leaving' | 'restarting', kind: 'stop' | 'good', deadline: number): Leave => ({
  is,
  kind,
  deadline,
});

it.each<[Leave, Leave]>([
  [at('leaving', 'good', 60_000), at('leaving', 'good', 58_000)],
  [at('restarting', 'good', 60_000), at('restarting', 'good', 58_000)],
  [at('restarting', 'stop', 9_000), at('restarting', 'stop', 7_000)],
  [at('leaving', 'stop', 9_000), at('leaving', 'stop', 7_000)],
])('%j goes on in the next agent, with what is left of its time', async (before, after) => {
  const { wall, agent } = await bench();
  await agent(0).keep(before);
  wall.ms += 2_500;
  expect(await agent(500).read()).toEqual(after);
});

it.each<[string, number, number]>([
  ['has passed', 80_000, 0.3 * LIMITS.good],
  ['seems to be far away, because the wall clock was set back', -1_000_000, LIMITS.good],
])('its end %s', async (_, stepMs, leftMs) => {
  const { wall, agent } = await bench();
  await agent(0).keep(at('leaving', 'good', 60_000));
  wall.ms += stepMs;
  expect(await agent(7).read()).toEqual(at('leaving', 'good', 7 + leftMs));
});

it.each<Leave>([
  IDLE,
  { is: 'left', kind: 'stop', moved: true },
  { is: 'refused', kind: 'good', why: '', retryAt: 0 },
  { is: 'leaving', kind: 'restart', deadline: 5 },
])('%j leaves nothing for the next agent', async (leave) => {
  const { stateDirectory, agent } = await bench();
  const record = agent(0);
  await record.keep(at('leaving', 'good', 60_000));
  expect(await readdir(stateDirectory)).toEqual(['leave.json']);
  await record.keep(leave);
  expect(await readdir(stateDirectory)).toEqual([]);
  expect(await agent(0).read()).toEqual(IDLE);
});

it('a leave that the wish no longer asks for is removed by the agent that has read it', async () => {
  const { stateDirectory, agent } = await bench();
  await agent(0).keep(at('leaving', 'good', 60_000));
  const next = agent(0);
  await next.read();
  await next.keep(IDLE);
  expect(await readdir(stateDirectory)).toEqual([]);
});

it('a node that has left for good says so to the next agent, which would start it to leave else', async () => {
  const { agent, texts } = await bench();
  const left: Leave = { is: 'left', kind: 'good', moved: false };
  await agent(0).keep(left);
  expect(await agent(500).read()).toEqual(left);
  expect(texts).toEqual([]);
});

it.each([
  '',
  '{',
  '{}',
  '[]',
  '{"is":"left","kind":"good","until":1}',
  '{"is":"left","kind":"stop","moved":true}',
  '{"is":"leaving","kind":"good","until":"x"}',
])('a record that cannot be used means idle, and is said: %j', async (text) => {
  const { file, agent, texts } = await bench();
  await writeFile(file, text);
  expect(await agent(0).read()).toEqual(IDLE);
  expect(texts).toEqual(['the record of a leave is of no use']);
});

it('is written whole, and only when it says something else', async () => {
  const { file, wall, agent } = await bench();
  const record = agent(0);
  const leave = at('leaving', 'good', 60_000);
  await record.keep(leave);
  const text = await readFile(file, 'utf8');
  expect(JSON.parse(text)).toEqual({ is: 'leaving', kind: 'good', until: wall.ms + 60_000 });
  await writeFile(file, 'not written again');
  await record.keep({ ...leave });
  expect(await readFile(file, 'utf8')).toBe('not written again');
});

it('a state directory that cannot be written to is said, and stops nothing', async () => {
  const { stateDirectory, texts } = await bench();
  const clock: Clock = { wall: () => 0, monotonic: () => 0, after: () => () => undefined };
  const { log, texts: said } = recordingLog();
  const gone = path.join(stateDirectory, 'not', 'there');
  const record = new LeaveRecord({ stateDirectory: gone, limits: LIMITS, clock, log });
  await record.keep(at('leaving', 'good', 1));
  expect(said).toEqual(['a leave cannot be recorded: an agent that is killed now forgets it']);
  expect(texts).toEqual([]);
});

it('nothing to read, and nothing to remove, is no mistake', async () => {
  const { file, agent, texts } = await bench();
  const record = agent(0);
  expect(await record.read()).toEqual(IDLE);
  await record.keep(at('leaving', 'good', 60_000));
  await rm(file);
  await record.keep(IDLE);
  expect(texts).toEqual([]);
});

it('counts the time that is left from now on, whenever the agent was started', async () => {
  const { file, wall, agent } = await bench();
  await agent(5_000).keep(at('leaving', 'good', 60_000));
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ until: wall.ms + 55_000 });
});

it('is on disk also for the second one that asks for the same', async () => {
  const { file, agent } = await bench();
  const record = agent(0);
  const leave = at('leaving', 'good', 60_000);
  const first = record.keep(leave);
  await record.keep(leave);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ is: 'leaving' });
  await first;
});
