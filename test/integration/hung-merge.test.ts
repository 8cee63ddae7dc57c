import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { Hazards } from '../simulators/antpickax/hazards.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { openMachines } from '../story/machines/open.ts';
import { standIns } from '../story/programs.ts';

const NO_HAZARDS = {
  hang: 0,
  unfinished: 0,
  unfinishedReturn: 0,
  unfinishedLeave: 0,
  together: 0,
  early: 0,
  lostAnswer: 0,
};

const CHANCE = 0.5;

/** Each of two servers hangs in the second life of its chmpx, when it is back from a crash. */
function badLuck(): Record<string, string> {
  const hangs = (seed: number, life: number): boolean[] => {
    const luck = new Hazards({ ...NO_HAZARDS, lostAnswer: CHANCE }, seed, life);
    return [0, 1].map((place) => luck.strikes('lostAnswer', place));
  };
  for (let seed = 1; ; seed += 1) {
    const lives = [1, 2, 3].map((life) => hangs(seed, life));
    if (lives.join() !== 'false,false,true,true,false,false') continue;
    return {
      ANTPICKAX_STANDIN_HAZARDS: 'none',
      ANTPICKAX_STANDIN_LOST_ANSWER: String(CHANCE),
      ANTPICKAX_STANDIN_SEED: String(seed),
    };
  }
}

/** Servers made from stand-ins that have such an environment. */
async function cluster(environment: Record<string, string>): Promise<ClusterStage> {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'cluster'));
  const machines = await openMachines(
    path.join(directory, 'machines'),
    await standIns(directory),
    { loopback: true },
    environment,
  );
  const broker = new Broker(inject('broker'));
  const stage = await ClusterStage.open(broker, machines, path.join(directory, 'cluster'));
  onTestFinished(async () => {
    await machines.close();
    await stage.close();
  });
  return stage;
}

it('a server that is back and hangs in its merge starts again', { timeout: 600_000 }, async () => {
  const stage = await cluster(badLuck());
  const [other, victim] = await stage.createInstances(2);
  await stage.settled();
  if (!other || !victim) throw new Error('two servers were asked for');
  const untouched = await other.program('k2hdkc');
  await victim.kill('chmpx');
  await until('it was seen to hang', async () =>
    (await victim.log()).includes('a merge was aborted because this node hung'),
  );
  await stage.settled();
  expect(await other.program('k2hdkc')).toEqual(untouched);
});

const SLOW_MERGES = { ANTPICKAX_STANDIN_HAZARDS: 'none', ANTPICKAX_STANDIN_MERGE_MS: '3000' };

/** Three servers of which Trove shrinks the last away, and its data moves now. */
async function leaving(): Promise<{ leaver: ClusterMember; leave: Promise<unknown> }> {
  const stage = await cluster(SLOW_MERGES);
  const nodes = await stage.createInstances(3);
  await stage.settled();
  for (const node of nodes) await stage.clusterComplete(node);
  const [, , leaver] = nodes;
  if (!leaver) throw new Error('three servers were asked for');
  const doing = 'merge phase=merging ring="';
  const before = (await leaver.log()).split(doing).length;
  const leave = stage.clusterComplete(leaver);
  await until('its data moves', async () => (await leaver.log()).split(doing).length > before);
  return { leaver, leave };
}

/** Both programs have started again, the node has left with its data, and only then it was over. */
async function leftWithItsData(leaver: ClusterMember): Promise<void> {
  const log = await leaver.log();
  const after = log.slice(log.indexOf('a second cluster_complete'));
  expect(after).toMatch(/start-k2hdkc.*\n[^]*goal=leave result=done[^]*operation done/);
}

it.each(['chmpx', 'k2hdkc'] as const)(
  'a leave in which %s crashes goes on when both are back, and is over only then',
  { timeout: 600_000 },
  async (program) => {
    const { leaver, leave } = await leaving();
    await leaver.kill(program);
    await leave;
    await leftWithItsData(leaver);
  },
);

it(
  'a leave in which the agent is killed, and both programs too, goes on with the next agent',
  { timeout: 200_000 },
  async () => {
    const { leaver, leave } = await leaving();
    await leaver.endAgent('SIGKILL');
    await leaver.kill('k2hdkc');
    await leaver.kill('chmpx');
    await leaver.startAgent();
    await leave;
    await leftWithItsData(leaver);
  },
);
