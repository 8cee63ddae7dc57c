import { systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import type { ClusterStage } from './cluster-stage.ts';
import type { Timeline } from './timeline.ts';

/** How a cluster story is played. */
export interface ClusterStoryOptions {
  /** How long K2HR3 is away, in seconds. */
  outageSeconds: number;
}

/** A cluster's life: created, grown, crashed, detached, shrunk, rebooted, without K2HR3. */
export async function playClusterStory(
  stage: ClusterStage,
  timeline: Timeline,
  { outageSeconds }: ClusterStoryOptions,
): Promise<void> {
  const { trove } = stage;
  const took = (since: number): string =>
    `${((systemClock.monotonic() - since) / 1000).toFixed(1)} s`;

  await timeline.step('three instances with a cluster_config', async () => {
    const start = systemClock.monotonic();
    await stage.createInstances(3);
    await stage.settled();
    return `all healthy, each sees three, after ${took(start)}`;
  });
  await timeline.step('cluster_complete of each', async () => {
    for (const node of stage.nodes) await stage.clusterComplete(node);
    return 'three installations are over';
  });
  await timeline.step('a fourth grows the ring', async () => {
    const start = systemClock.monotonic();
    const [fourth] = await stage.createInstances(1);
    await stage.settled();
    if (fourth) await stage.clusterComplete(fourth);
    return `every node sees four, after ${took(start)}`;
  });
  await timeline.step('chmpx and k2hdkc of one node crash', async () => {
    const [first] = stage.nodes;
    if (!first) throw new Error('no node');
    const start = systemClock.monotonic();
    await first.kill('k2hdkc');
    await first.kill('chmpx');
    await stage.settled();
    return `${first.name} is back, every node sees four, after ${took(start)}`;
  });
  await timeline.step('one node is detached', async () => {
    const [, second] = stage.nodes;
    if (!second) throw new Error('no node');
    const start = systemClock.monotonic();
    await stage.detach(second);
    await trove.waitForStatus(second.id, 'running', 10_000);
    await stage.settled(stage.nodes.filter((node) => node !== second));
    if (stage.hosts() !== 3) throw new Error(`${stage.hosts()} hosts in the role`);
    return `${second.name} left and is unregistered, the others see three, after ${took(start)}`;
  });
  await timeline.step('… and attached again', async () => {
    const [, second] = stage.nodes;
    if (!second) throw new Error('no node');
    const start = systemClock.monotonic();
    await stage.attach(second);
    await stage.settled();
    return `every node sees four, after ${took(start)}`;
  });
  await timeline.step('a shrink: second cluster_complete, then the server is gone', async () => {
    const last = stage.nodes.at(-1);
    if (!last) throw new Error('no node');
    const start = systemClock.monotonic();
    await stage.clusterComplete(last);
    const { status } = await trove.serviceStatus(last.id);
    if (status !== 'healthy') throw new Error(`${last.name} is ${status} while it leaves`);
    await stage.deleteServer(last);
    await stage.settled();
    return `${last.name} left, the others see three, after ${took(start)}`;
  });
  await timeline.step('a VM is rebooted', async () => {
    const [first] = stage.nodes;
    if (!first) throw new Error('no node');
    const start = systemClock.monotonic();
    await first.reboot();
    await stage.settled();
    return `${first.name} is back, every node sees three, after ${took(start)}`;
  });
  await timeline.step(`K2HR3 is away for ${outageSeconds} s`, async () => {
    const before = await Promise.all(stage.nodes.map((node) => node.program('chmpx')));
    stage.k2hr3.faults.resetConnections = Infinity;
    const end = systemClock.monotonic() + outageSeconds * 1000;
    await until(
      'the outage is over',
      async () => {
        const seen = await Promise.all(stage.nodes.map((node) => node.seesServing(3)));
        if (!seen.every(Boolean)) throw new Error('the ring has changed');
        return systemClock.monotonic() > end;
      },
      { seconds: outageSeconds + 30, everyMs: 1_000 },
    );
    stage.k2hr3.faults.resetConnections = 0;
    const after = await Promise.all(stage.nodes.map((node) => node.program('chmpx')));
    if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error('a chmpx was restarted');
    return 'no effect on the ring; the same processes';
  });
}
