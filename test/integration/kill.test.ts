import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/oslo/envelope.ts';
import { randomFrom } from '../helpers/random-from.ts';
import { RawCaller } from '../helpers/raw-caller.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

/** `KILL_SEED=…` is another run. */
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_122);

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-kill-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
  process.stdout.write(`kills by seed ${SEED}\n`);
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** An agent that consumes. */
async function started(name: string, overrides: JsonObject = {}): Promise<Actor> {
  const actor = await stage.actor(name, { overrides });
  await actor.vm.startAgent();
  await actor.vm.untilLog(/AMQP session ready/);
  return actor;
}

/** A member of a cluster that is in service, its installation over. */
async function serving(name: string): Promise<{ actor: Actor; caller: RawCaller }> {
  const actor = await started(name);
  await stage.prepare(actor, { clustered: true });
  await stage.trove.waitForStatus(actor.id, 'healthy', 45_000);
  const caller = await talkTo(actor);
  return { actor, caller };
}

function talkTo({ id, secrets }: Actor): Promise<RawCaller> {
  const transportUrl = stage.broker.url(stage.vhost);
  return RawCaller.open({ transportUrl, exchange: 'trove', id, key: secrets[0] ?? null });
}

/** Kills the agent and starts another. Resolves with the length of the log until then. */
async function killAndStart({ vm }: Actor): Promise<number> {
  await vm.endAgent('SIGKILL');
  const logged = (await vm.log()).length;
  await vm.startAgent();
  return logged;
}

const openEntries = ({ vm }: Actor): Promise<string[]> => readdir(vm.path('state/journal/open'));
const programs = ({ vm }: Actor) => [vm.program('chmpx'), vm.program('k2hdkc')];

/** Each status is newer than the one before, whichever agent sent it. */
async function expectSentIncreases({ id }: Actor): Promise<void> {
  const all = (await stage.trove.published(id)).filter(({ method }) => method === 'heartbeat');
  const sent = all.map(({ args }) => args['sent'] as number);
  expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
}

async function notificationsOf({ id }: Actor): Promise<Set<string>> {
  const published = await stage.trove.published(id);
  return new Set(published.map(({ method }) => method).filter((name) => name.startsWith('notify')));
}

describe('prepare, with two kills at any moment,', () => {
  const random = randomFrom(SEED);
  const moments = Array.from({ length: 8 }, () => [1_500 * random(), 1_000 * random()] as const);

  it.concurrent.each(moments.map(([first, second]) => [Math.round(first), Math.round(second)]))(
    'after %i ms and %i ms later, makes a member once',
    async (first, second) => {
      const actor = await started('killed');
      await stage.prepare(actor, { clustered: true });
      for (const moment of [first, second]) {
        await sleep(systemClock, moment);
        await killAndStart(actor);
      }
      await stage.trove.waitForStatus(actor.id, 'healthy', 30_000);
      await until('the notification', async () => (await notificationsOf(actor)).size > 0);
      await until('nothing is left to do', async () => (await openEntries(actor)).length === 0);
      expect(await notificationsOf(actor)).toEqual(new Set(['notify_end']));
      expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
      // What the agent was killed before it could say is not said any more.
      const statuses = (await stage.trove.statusHistory(actor.id)).join(' → ');
      expect(statuses).toMatch(/^(building → )?(instance ready → )?healthy$/);
      expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
      await expectSentIncreases(actor);
    },
    90_000,
  );

  it.concurrent.each(moments.slice(0, 4).map(([first]) => Math.round(first / 10)))(
    'after %i ms, of a node that cannot be, fails with status, notification and fault',
    async (moment) => {
      const actor = await started('unfit', { 'chmpx-server-port': 40_020 });
      await stage.prepare(actor, { clustered: true });
      await sleep(systemClock, moment);
      await killAndStart(actor);
      await stage.trove.waitForStatus(actor.id, 'failed to spawn', 30_000);
      const fault = await until('the fault', async () =>
        (await stage.trove.instanceFaults(actor.id)).at(0),
      );
      expect(fault.message).toContain('chmpx-server-port = 40020');
      expect(await notificationsOf(actor)).toEqual(new Set(['notify_exc_info']));
      await until('nothing is left to do', async () => (await openEntries(actor)).length === 0);
      expect(await stage.trove.statusHistory(actor.id)).toEqual(['failed to spawn']);
    },
    90_000,
  );
});

describe('a call, with a kill at any moment,', () => {
  /** What is asked, and what must be true afterwards. */
  interface Wish {
    method: string;
    args: (actor: Actor) => JsonObject;
    status: string;
    isServing: boolean;
    isMember: boolean;
  }
  const WISHES: Wish[] = [
    { method: 'restart', args: () => ({}), status: 'healthy', isServing: true, isMember: true },
    { method: 'stop_db', args: () => ({}), status: 'shutdown', isServing: false, isMember: true },
    { method: 'restart', args: () => ({}), status: 'healthy', isServing: true, isMember: true },
    {
      method: 'update_overrides',
      args: () => ({ overrides: {}, remove: true }),
      status: 'running',
      isServing: false,
      isMember: false,
    },
    {
      method: 'update_overrides',
      args: ({ overrides }) => ({ overrides, remove: false }),
      status: 'healthy',
      isServing: true,
      isMember: true,
    },
  ];

  it('is finished and answered', { timeout: 180_000 }, async () => {
    const random = randomFrom(SEED + 1);
    const { actor, caller } = await serving('asked');
    const { vm, id, cluster } = actor;
    for (const round of [1, 2, 3]) {
      for (const { method, args, status, isServing, isMember } of WISHES) {
        const moment = Math.round(1_200 * random());
        const what = `round ${round}, ${method} → ${status}, killed after ${moment} ms`;
        const before = programs(actor);
        const from = (await vm.log()).length;
        const answer = caller.call(method, args(actor), { seconds: 30 }).catch(() => null);
        await sleep(systemClock, moment);
        const killedAt = await killAndStart(actor);
        const reply = await answer;
        const log = await vm.log();
        // The one moment in which an answer is lost: when all is done and it is on its way.
        const wasDone = /operation done/.test(log.slice(from, killedAt));
        if (reply === null) expect(wasDone, `${what}: not answered`).toBe(true);
        else expect(reply.failure, what).toBeNull();

        await until(`nothing is left to do: ${what}`, async () => {
          return (await openEntries(actor)).length === 0;
        });
        await stage.trove.waitForStatus(id, status, 15_000);
        if (isServing) await vm.untilServing();
        expect(programs(actor).every(Boolean), what).toBe(isServing);
        if (method === 'restart') expect(programs(actor), what).not.toEqual(before);
        expect(stage.k2hr3.hosts(cluster).length === 1, what).toBe(isMember);
      }
    }
    await expectSentIncreases(actor);
    await caller.close();
  });
});

describe('a request that comes again', () => {
  /** How often an operation was begun. */
  const begun = async ({ vm }: Actor): Promise<number> =>
    (await vm.log()).match(/operation starts.*operation=restart/g)?.length ?? 0;

  it('is not run again: at once, while it runs, after it, and after a kill', async () => {
    const { actor, caller } = await serving('twice');
    const { vm } = actor;
    const call = caller.callFields();
    const request = caller.request('restart', {}, call);
    const answered = (): boolean => caller.replies.has(call._msg_id);

    await caller.send(request);
    await caller.send(request);
    await vm.untilLog(/operation starts.*operation=restart/);
    await caller.send(request);
    await until('the answer', answered);
    await caller.send(request);
    await caller.call('rpc_ping');
    expect(await begun(actor)).toBe(1);
    expect(caller.replies.get(call._msg_id)).toHaveLength(1);

    const before = programs(actor);
    const logged = await killAndStart(actor);
    await caller.send(request);
    await vm.untilLog(/a request came again after a restart of the agent/, logged);
    await caller.call('rpc_ping');
    expect(await begun(actor)).toBe(1);
    expect(programs(actor)).toEqual(before);
    await caller.close();
  });

  it('is not run twice when it comes again while the next agent finishes it', async () => {
    const { actor, caller } = await serving('resumed');
    const { vm } = actor;
    const call = caller.callFields();
    const request = caller.request('restart', {}, call);
    await caller.send(request);
    await vm.untilLog(/operation starts.*operation=restart/);
    const logged = await killAndStart(actor);
    await vm.untilLog(/did not finish is continued/, logged);
    await caller.send(request);
    await until('the answer', () => caller.replies.has(call._msg_id));
    await caller.call('rpc_ping');
    const later = (await vm.log()).slice(logged);
    expect(later.match(/operation starts/g)).toHaveLength(1);
    await vm.untilServing();
    await caller.close();
  });
});

describe('killed after its last step, before the journal says so,', () => {
  /** Puts a request that is done back among those that are not. */
  async function forgetThatItIsDone({ vm }: Actor, request: JsonObject): Promise<void> {
    const id = String(request['_unique_id']);
    const journal = vm.path('state/journal');
    const names = await readdir(path.join(journal, 'done'));
    const name = names.find((one) => one.endsWith(`-${id}`)) ?? id;
    await rename(path.join(journal, 'done', name), path.join(journal, 'open', name));
    await writeFile(path.join(journal, 'open', name), JSON.stringify(request));
  }

  it.each<[string, (actor: Actor) => JsonObject, string]>([
    ['restart', () => ({}), 'healthy'],
    ['cluster_complete', () => ({}), 'healthy'],
    ['update_overrides', ({ overrides }) => ({ overrides, remove: false }), 'healthy'],
    ['stop_db', () => ({}), 'shutdown'],
    ['update_overrides', () => ({ overrides: {}, remove: true }), 'running'],
  ])('%s changes nothing more', async (method, args, status) => {
    const { actor, caller } = await serving('forgotten');
    const { vm, id, cluster } = actor;
    const call = caller.callFields();
    const request = caller.request(method, args(actor), call);
    await caller.send(request);
    await until('the answer', () => caller.replies.has(call._msg_id));
    await stage.trove.waitForStatus(id, status, 15_000);
    const before = {
      programs: programs(actor),
      hosts: stage.k2hr3.hosts(cluster),
      desired: await readFile(vm.path('state/desired.json'), 'utf8'),
      statuses: await stage.trove.statusHistory(id),
    };

    await vm.endAgent('SIGKILL');
    await forgetThatItIsDone(actor, request);
    const logged = (await vm.log()).length;
    await vm.startAgent();
    await vm.untilLog(/operation done/, logged);
    await until('the second answer', () => caller.replies.get(call._msg_id)?.length === 2);
    expect({
      programs: programs(actor),
      hosts: stage.k2hr3.hosts(cluster),
      desired: await readFile(vm.path('state/desired.json'), 'utf8'),
      statuses: await stage.trove.statusHistory(id),
    }).toEqual(before);
    await caller.close();
  });
});
