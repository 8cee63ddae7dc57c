import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/oslo/envelope.ts';
import { KillLab, killAndStart, openEntries, programs } from '../helpers/kill-lab.ts';
import { randomFrom } from '../helpers/random-from.ts';
import { until } from '../helpers/until.ts';
import type { Actor, Stage } from '../story/stage.ts';

/** `KILL_SEED=…` is another run. */
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_122);

let lab: KillLab;
let stage: Stage;

beforeAll(async () => {
  lab = await KillLab.open(inject('broker'));
  stage = lab.stage;
  process.stdout.write(`kills by seed ${SEED}\n`);
});

afterAll(async () => {
  await lab.close();
});

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
      const actor = await lab.started('killed');
      await stage.prepare(actor, { clustered: true });
      for (const moment of [first, second]) {
        await sleep(systemClock, moment);
        await killAndStart(actor);
      }
      await stage.trove.waitForStatus(actor.id, 'healthy');
      await until('the notification', async () => (await notificationsOf(actor)).size > 0);
      await until('nothing is left to do', async () => (await openEntries(actor)).length === 0);
      expect(await notificationsOf(actor)).toEqual(new Set(['notify_end']));
      expect(await stage.trove.instanceFaults(actor.id)).toEqual([]);
      // What the agent was killed before it could say is not said any more.
      const statuses = (await stage.trove.statusHistory(actor.id)).join(' → ');
      expect(statuses).toMatch(/^(building → )?(instance ready → )?healthy$/);
      expect(stage.k2hr3.hosts(actor.cluster)).toHaveLength(1);
      await lab.expectSentIncreases(actor);
    },
    90_000,
  );

  it.concurrent.each(moments.slice(0, 4).map(([first]) => Math.round(first / 10)))(
    'after %i ms, of a node that cannot be, fails with status, notification and fault',
    async (moment) => {
      const actor = await lab.started('unfit', { 'chmpx-server-port': 40_020 });
      await stage.prepare(actor, { clustered: true });
      await sleep(systemClock, moment);
      await killAndStart(actor);
      await stage.trove.waitForStatus(actor.id, 'failed to spawn');
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

  it('is finished and answered', { timeout: 600_000 }, async () => {
    const random = randomFrom(SEED + 1);
    const { actor, caller } = await lab.serving('asked');
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
        await stage.trove.waitForStatus(id, status);
        if (isServing) await vm.untilServing();
        expect(programs(actor).every(Boolean), what).toBe(isServing);
        if (method === 'restart') expect(programs(actor), what).not.toEqual(before);
        expect(stage.k2hr3.hosts(cluster).length === 1, what).toBe(isMember);
      }
    }
    await lab.expectSentIncreases(actor);
    await caller.close();
  });
});
