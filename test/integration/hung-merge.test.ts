import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { Hazards } from '../simulators/antpickax/hazards.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { openMachines } from '../story/machines/open.ts';
import { standIns } from '../story/programs.ts';

const NO_HAZARDS = {
  ...{ hang: 0, unfinished: 0, unfinishedReturn: 0, unfinishedLeave: 0, together: 0, early: 0 },
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
it('a server that is back and hangs in its merge starts again', { timeout: 200_000 }, async () => {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'cluster'));
  const machines = await openMachines(
    path.join(directory, 'machines'),
    await standIns(directory),
    { loopback: true },
    badLuck(),
  );
  const broker = new Broker(inject('broker'));
  const stage = await ClusterStage.open(broker, machines, path.join(directory, 'cluster'));
  try {
    const nodes = await stage.createInstances(2);
    await stage.settled();
    const [other, victim] = nodes;
    if (!other || !victim) throw new Error('two servers were asked for');
    const untouched = await other.program('k2hdkc');
    await victim.kill('chmpx');
    await until('it was seen to hang', async () =>
      (await victim.log()).includes('a merge was aborted because this node hung'),
    );
    await stage.settled();
    expect(await other.program('k2hdkc')).toEqual(untouched);
  } finally {
    await machines.close();
    await stage.close();
  }
});
