import { isDeepStrictEqual } from 'node:util';
import { until } from '../helpers/until.ts';
import type { ClusterMember } from './cluster-member.ts';
import type { ClusterStage } from './cluster-stage.ts';
import { follows, usesKeys } from './slave-keys.ts';
import type { Timeline } from './timeline.ts';

/** A slave's life beside a cluster that grows and shrinks. */
export async function playSlaveStory(stage: ClusterStage, timeline: Timeline): Promise<void> {
  let slave: ClusterMember | undefined;
  const of = (): ClusterMember => {
    if (slave) return slave;
    throw new Error('no slave');
  };
  await timeline.step('two servers', async () => {
    await stage.createInstances(2);
    await stage.settled();
    for (const node of stage.nodes) await stage.clusterComplete(node);
    return 'each sees two';
  });
  await timeline.step('a slave from config/slave-user-data.yaml', async () => {
    slave = await stage.createSlave();
    await follows(of(), 2);
    if (stage.hosts('slave') !== 1) throw new Error('it is not registered');
    return `registered in the slave role, sees two servers; ${await usesKeys(of(), 'two')}`;
  });
  await timeline.step('k2hdkc-agent status, on a server and on the slave', async () => {
    const says = await Promise.all([stage.nodes[0], of()].map(saysAllIsWell));
    return says.join('; ');
  });
  await timeline.step('a third server grows the ring', async () => {
    const [third] = await stage.createInstances(1);
    await stage.settled();
    if (third) await stage.clusterComplete(third);
    await follows(of(), 3);
    return `the slave sees three; ${await usesKeys(of(), 'three')}`;
  });
  await timeline.step("the slave's agent is killed, and restarted as systemd does", async () => {
    const before = await of().program('chmpx');
    for (const [signal, round] of [
      ['SIGKILL', 1],
      ['SIGINT', 2],
    ] as const) {
      await of().endAgent(signal);
      await of().startAgent();
      await until('the next agent has adopted chmpx', () =>
        adoptions(of()).then((n) => n === round),
      );
    }
    await of().endAgent('SIGINT');
    const text = await usesKeys(of(), 'alone');
    await of().startAgent();
    await follows(of(), 3);
    if (!isDeepStrictEqual(await of().program('chmpx'), before)) throw new Error('another chmpx');
    return `the same chmpx; ${text} while no agent runs`;
  });
  await timeline.step('the cluster shrinks by one', async () => {
    const last = stage.nodes.at(-1);
    if (!last) throw new Error('no node');
    await stage.clusterComplete(last);
    await stage.deleteServer(last);
    await stage.settled();
    await follows(of(), 2);
    return `the slave sees two; ${await usesKeys(of(), 'less')}`;
  });
  await timeline.step("the slave's chmpx crashes", async () => {
    await of().kill('chmpx');
    await follows(of(), 2);
    return `it is back; ${await usesKeys(of(), 'back')}`;
  });
  await timeline.step('the slave is stopped (systemctl stop)', async () => {
    await of().endAgent('SIGTERM');
    if (stage.hosts('slave') !== 0) throw new Error('it is still registered');
    if (await of().program('chmpx')) throw new Error('its chmpx still runs');
    await stage.settled();
    return 'unregistered, chmpx has ended, the servers see two';
  });
  await timeline.step('… and started again', async () => {
    await of().startAgent();
    await follows(of(), 2);
    return `it is back; ${await usesKeys(of(), 'again')}`;
  });
}

/** The first line of its status, as soon as nothing concerns anybody. */
async function saysAllIsWell(node: ClusterMember | undefined): Promise<string> {
  return until('a status without concerns', async () => {
    const status = await node?.agentStatus();
    return status?.code === 0 ? status.stdout.split('\n')[0] : undefined;
  });
}

async function adoptions(slave: ClusterMember): Promise<number> {
  return (await slave.log()).split('adopted program=chmpx').length - 1;
}
