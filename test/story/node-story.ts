import { readdir } from 'node:fs/promises';
import { systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { identify } from '../peers/processes.ts';
import { TrovePeerError } from '../peers/trove/trove-peer.ts';
import type { Actor, Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

/**
 * One node's whole life, judged from outside: by Trove's database, by the messages as published,
 * by chmpx's own status and by the processes.
 */
export async function playNodeStory(stage: Stage, timeline: Timeline): Promise<void> {
  const member = await stage.actor('member');
  const single = await stage.actor('single');
  await memberIsPrepared(stage, member, timeline);
  await memberLives(stage, member, timeline);
  await troveAsks(stage, member, timeline);
  await singleIsPrepared(stage, single, timeline);
  await everythingEnds(stage, [member, single], timeline);
}

async function memberIsPrepared(stage: Stage, member: Actor, timeline: Timeline): Promise<void> {
  const { trove, broker } = stage;
  const { id, vm } = member;
  await timeline.step('prepare waits in the queue, the agent is not up', async () => {
    await stage.prepare(member, { clustered: true });
    const queue = await until('the message is in the queue', async () => {
      const found = await broker.queue(stage.vhost, `guestagent.${id}`);
      return found?.messages === 1 && found.consumers === 0 ? found : undefined;
    });
    return `${queue.name}: ${queue.messages} message, no consumer`;
  });
  await timeline.step('cluster member: agent start → healthy', async () => {
    const start = systemClock.monotonic();
    await vm.startAgent();
    await trove.waitForStatus(id, 'healthy');
    return `healthy in Trove's database after ${seconds(start)}`;
  });
  await timeline.step('its statuses, as published', async () => {
    await expectStatuses(stage, id, ['building', 'instance ready', 'healthy']);
    const order = (await trove.published(id)).map(({ method, args }) => statusOf(args) ?? method);
    const [ready, notified, healthy] = ['instance ready', 'notify_end', 'healthy'].map((word) =>
      order.indexOf(word),
    ) as [number, number, number];
    if (!(ready < notified && notified < healthy)) throw new Error(order.join(' → '));
    return 'building → instance ready → notify_end → healthy';
  });
  await timeline.step('cluster_complete', async () => {
    // Not in the base API: Trove's cluster strategies call it by the same client.
    await trove.rpc(id, 'cluster_complete', {});
    return 'answered; the installation is over';
  });
}

async function memberLives(stage: Stage, member: Actor, timeline: Timeline): Promise<void> {
  const { vm, id } = member;
  await timeline.step('chmpx killed with SIGKILL → SERVICE IN', async () => {
    const before = pids(member);
    vm.kill('chmpx');
    const start = systemClock.monotonic();
    await until(
      'another chmpx',
      () => vm.program('chmpx')?.pid !== before.chmpx && vm.program('chmpx'),
    );
    await vm.untilServing();
    return `after ${seconds(start)}, chmpx ${before.chmpx} → ${pids(member).chmpx}`;
  });
  await timeline.step('agent killed with SIGKILL and started again', async () => {
    const before = pids(member);
    await vm.endAgent('SIGKILL');
    const logged = (await vm.log()).length;
    const start = systemClock.monotonic();
    await vm.startAgent();
    await vm.untilLog(/AMQP session ready/, logged);
    const consuming = seconds(start);
    await stage.trove.api(id, 'rpc_ping', {});
    expectSamePids(before, pids(member));
    return `consuming after ${consuming}; chmpx ${before.chmpx} and k2hdkc ${before.k2hdkc} unchanged`;
  });
  await timeline.step('agent stopped with SIGTERM and started again', async () => {
    const before = pids(member);
    const code = await vm.endAgent('SIGTERM');
    if (code !== 0) throw new Error(`exit code ${String(code)}`);
    await vm.startAgent();
    await stage.trove.api(id, 'rpc_ping', {});
    expectSamePids(before, pids(member));
    return 'exit code 0, same PIDs';
  });
}

async function troveAsks(stage: Stage, member: Actor, timeline: Timeline): Promise<void> {
  const { trove } = stage;
  const { id, vm } = member;
  await timeline.step('rpc_ping', async () => {
    const start = systemClock.monotonic();
    const answer = await trove.api(id, 'rpc_ping', {});
    if (answer !== true) throw new Error(JSON.stringify(answer));
    return `true in ${seconds(start)}`;
  });
  await timeline.step('get_filesystem_stats', async () => {
    const stats = (await trove.api(id, 'get_volume_info', {})) as Record<string, number>;
    const { total = 0, used = 0, free = 0 } = stats;
    if (!(total > 0 && used > 0 && free > 1024 ** 2)) throw new Error(JSON.stringify(stats));
    return `${used} of ${total} GiB used`;
  });
  await timeline.step('stop_db', async () => {
    await trove.api(id, 'stop_db', {});
    if (vm.program('chmpx') || vm.program('k2hdkc')) throw new Error('something still runs');
    await trove.waitForStatus(id, 'shutdown');
    return 'both programs stopped; shutdown';
  });
  await timeline.step('restart', async () => {
    await trove.api(id, 'restart', {});
    await trove.waitForStatus(id, 'healthy');
    const before = pids(member);
    await trove.api(id, 'restart', {});
    if (pids(member).chmpx === before.chmpx) throw new Error('the same chmpx runs on');
    await trove.waitForStatus(id, 'healthy');
    return 'twice: from stopped, and of a serving node; healthy';
  });
  await timeline.step('an unknown method', async () => {
    const error = await failureOf(trove.rpc(id, 'make_coffee', {}));
    if (error.remote?.class !== 'NoSuchMethod') throw error;
    return `${error.remote.class}: ${error.remote.message}`;
  });
  await timeline.step('a method that fails', async () => {
    const overrides = { ...member.overrides, 'chmpx-server-port': 40020 };
    const error = await failureOf(trove.api(id, 'update_overrides', { overrides, remove: false }));
    if (error.className !== 'GuestError' || !/chmpx-server-port = 40020/.test(error.message)) {
      throw error;
    }
    await vm.untilServing();
    return `${error.className}: ${error.message}`;
  });
}

async function singleIsPrepared(stage: Stage, single: Actor, timeline: Timeline): Promise<void> {
  const { trove, k2hr3 } = stage;
  const { id, vm } = single;
  await timeline.step('single instance: agent killed in the middle of prepare', async () => {
    k2hr3.faults.delayMs = 1_000;
    await stage.prepare(single, { clustered: false });
    await vm.startAgent();
    await trove.waitForStatus(id, 'building');
    await vm.untilLog(/register/);
    await vm.endAgent('SIGKILL');
    k2hr3.faults.delayMs = 0;
    if (vm.program('chmpx')) throw new Error('prepare was over already');
    return 'killed while it registered';
  });
  await timeline.step('… and finished after the restart', async () => {
    const start = systemClock.monotonic();
    await vm.startAgent();
    await trove.waitForStatus(id, 'healthy');
    await expectStatuses(stage, id, ['building', 'healthy']);
    await until('notify_end', async () =>
      (await trove.published(id)).some(({ method }) => method === 'notify_end'),
    );
    return `building → healthy → notify_end, ${seconds(start)} after the restart`;
  });
}

async function everythingEnds(stage: Stage, actors: Actor[], timeline: Timeline): Promise<void> {
  await timeline.step('everything is stopped', async () => {
    const running = actors.map(pids).flatMap(({ chmpx, k2hdkc }) => [chmpx, k2hdkc]);
    for (const { id, vm } of actors) {
      await stage.trove.api(id, 'stop_db', {});
      const code = await vm.endAgent('SIGTERM');
      if (code !== 0) throw new Error(`the agent ended with ${String(code)}`);
      const waiting = await readdir(vm.path('state/journal/open'));
      if (waiting.length > 0) throw new Error(`unfinished operations: ${waiting.join()}`);
    }
    const left = running.filter((pid) => identify(pid));
    if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
    return 'stop_db, then the agents; no process left, no operation unfinished';
  });
}

function pids({ vm }: Actor): { chmpx: number; k2hdkc: number } {
  const [chmpx, k2hdkc] = [vm.program('chmpx'), vm.program('k2hdkc')];
  if (!chmpx || !k2hdkc) throw new Error('chmpx and k2hdkc do not both run');
  return { chmpx: chmpx.pid, k2hdkc: k2hdkc.pid };
}

type Pids = ReturnType<typeof pids>;

function expectSamePids(before: Pids, after: Pids): void {
  if (before.chmpx !== after.chmpx || before.k2hdkc !== after.k2hdkc) {
    throw new Error(`PIDs changed: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  }
}

async function expectStatuses(stage: Stage, id: string, expected: string[]): Promise<void> {
  const statuses = await stage.trove.statusHistory(id);
  if (statuses.join() !== expected.join()) throw new Error(`published: ${statuses.join(' → ')}`);
}

function statusOf(args: Record<string, unknown>): string | undefined {
  return (args['payload'] as { service_status?: string } | undefined)?.service_status;
}

async function failureOf(call: Promise<unknown>): Promise<TrovePeerError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof TrovePeerError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

function seconds(since: number): string {
  return `${((systemClock.monotonic() - since) / 1000).toFixed(2)} s`;
}
