import { ringWords } from '../../src/ring/words.ts';
import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { readKeys, writeKeys } from '../helpers/ring-keys.ts';
import { until } from '../helpers/until.ts';
import type { ClusterMember } from './cluster-member.ts';
import type { ClusterStage } from './cluster-stage.ts';
import { follows, tellingStalls, usesKeys, withTraffic } from './slave-keys.ts';
import type { Timeline } from './timeline.ts';

/** How a cluster story is played. */
export interface ClusterStoryOptions {
  /** How long K2HR3 is away, in seconds. */
  outageSeconds: number;
  /** How many keys are written at the start and read at the end. */
  keys: number;
}

/** A cluster's life: created, grown, crashed, detached, shrunk, rebooted, without K2HR3. */
export async function playClusterStory(
  stage: ClusterStage,
  timeline: Timeline,
  { outageSeconds, keys }: ClusterStoryOptions,
): Promise<void> {
  let slave: ClusterMember | undefined;
  /** A step, whose result also tells how long it took and what Trove's database then says. */
  const step = (title: string, work: () => Promise<string>): Promise<void> =>
    timeline.step(title, async () => {
      const start = systemClock.monotonic();
      const seen = await work().catch(async (error: unknown) => {
        throw new Error(`${messageOf(error)}; ${await ringSays(stage, slave)}`);
      });
      const seconds = ((systemClock.monotonic() - start) / 1000).toFixed(1);
      return `${seen}, after ${seconds} s; ${await troveSays(stage)}`;
    });

  await step('three instances with a cluster_config', async () => {
    await stage.createInstances(3);
    await stage.settled();
    return 'each sees three';
  });
  await step('cluster_complete of each', async () => {
    for (const node of stage.nodes) await stage.clusterComplete(node);
    return 'three installations are over';
  });
  const ofSlave = (): ClusterMember => {
    if (slave) return slave;
    throw new Error('no slave');
  };
  await step('a slave node by its user data', async () => {
    slave = await stage.createSlave();
    await follows(slave, 3);
    return `it sees three; ${await usesKeys(slave, 'first')}`;
  });
  await step(`${keys} keys are written by the slave`, async () => {
    const written = await writeKeys((lines) => ofSlave().keyTool(lines), 'story', keys);
    if (written !== keys) throw new Error(`${written} of ${keys} were acknowledged`);
    return 'all acknowledged';
  });
  await step('a fourth grows the ring', async () => {
    const meanwhile = await withTraffic(ofSlave(), 'grow', async () => {
      const [fourth] = await stage.createInstances(1);
      await stage.settled();
      if (fourth) await stage.clusterComplete(fourth);
      await follows(ofSlave(), 4);
    });
    return `every node sees four; ${meanwhile}, then ${await usesKeys(ofSlave(), 'grown')}`;
  });
  await step('chmpx and k2hdkc of one node crash', async () => {
    const first = nodeOf(stage, 0);
    await first.kill('k2hdkc');
    await first.kill('chmpx');
    await stage.settled();
    return `${first.name} is back, every node sees four`;
  });
  await step('one node is detached', async () => {
    const second = nodeOf(stage, 1);
    await stage.detach(second);
    await stage.trove.waitForStatus(second.id, 'running');
    await stage.settled(stage.nodes.filter((node) => node !== second));
    if (stage.hosts() !== 3) throw new Error(`${stage.hosts()} hosts in the role`);
    return `${second.name} left and is unregistered, the others see three`;
  });
  await step('… and attached again', async () => {
    await stage.attach(nodeOf(stage, 1));
    await stage.settled();
    return 'every node sees four';
  });
  await step('a shrink: second cluster_complete, then the server is gone', async () => {
    const last = nodeOf(stage, -1);
    const leaving = await withTraffic(ofSlave(), 'leave', () => stage.clusterComplete(last));
    const { status } = await stage.trove.serviceStatus(last.id);
    if (status !== 'healthy') throw new Error(`${last.name} is ${status} while it leaves`);
    await stage.deleteServer(last);
    await stage.settled();
    await follows(ofSlave(), 3);
    const then = await usesKeys(ofSlave(), 'shrunk');
    return `${last.name} left, the others see three; ${leaving}, then ${then}`;
  });
  await step('a server is rebooted', async () => {
    const first = nodeOf(stage, 0);
    await first.reboot();
    await stage.settled();
    await follows(ofSlave(), 3);
    return `${first.name} is back, every node sees three; ${await usesKeys(ofSlave(), 'rebooted')}`;
  });
  await step(`K2HR3 is away for ${outageSeconds} s`, async () => {
    await withoutK2hr3(stage, outageSeconds);
    return 'no effect on the ring; the same processes';
  });
  await step(`${keys} keys are read by the slave`, () =>
    tellingStalls(ofSlave(), async () => {
      const tool = (lines: readonly string[]): Promise<string> => ofSlave().keyTool(lines);
      const { found, missing, failed } = await readKeys(tool, 'story', keys);
      if (failed > 0) throw new Error(`no answer for ${failed} of ${keys} keys`);
      // An automatic merge hides keys (docs/merge.md), so the number is shown and not judged.
      return `${found} of ${keys} found, ${missing} not`;
    }),
  );
}

async function withoutK2hr3(stage: ClusterStage, seconds: number): Promise<void> {
  const programs = (): Promise<unknown> =>
    Promise.all(stage.nodes.flatMap((node) => [node.program('chmpx'), node.program('k2hdkc')]));
  const before = JSON.stringify(await programs());
  stage.k2hr3.faults.resetConnections = Infinity;
  const end = systemClock.monotonic() + seconds * 1000;
  const over = async (): Promise<boolean> => {
    const seen = await Promise.all(stage.nodes.map((node) => node.seesServing(3)));
    if (!seen.every(Boolean)) throw new Error('the ring has changed');
    return systemClock.monotonic() > end;
  };
  await until('the outage is over', over, { seconds: seconds + 30, everyMs: 1_000 });
  stage.k2hr3.faults.resetConnections = 0;
  if (JSON.stringify(await programs()) !== before) throw new Error('a program was restarted');
}

/** What Trove's database says of each instance. */
async function troveSays({ nodes, trove }: ClusterStage): Promise<string> {
  const words = nodes.map(
    async ({ id, name }) => `${name} ${(await trove.serviceStatus(id)).status}`,
  );
  return `Trove: ${(await Promise.all(words)).join(', ')}`;
}

/** How each node sees the ring, for who must find out why a step failed. */
async function ringSays({ nodes }: ClusterStage, slave?: ClusterMember): Promise<string> {
  const words = [...nodes, ...(slave ? [slave] : [])].map(async (member) => {
    const ring = await member.ring().catch(() => undefined);
    return `${member.name} sees ${ring ? ringWords(ring) : 'nothing'}`;
  });
  return (await Promise.all(words)).join('; ');
}

function nodeOf({ nodes }: ClusterStage, index: number): ClusterMember {
  const found = nodes.at(index);
  if (!found) throw new Error('no such node');
  return found;
}
