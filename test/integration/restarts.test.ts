import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

/** Of each kind; the issue asks for 50, which `npm run test:restarts` does (2 min). */
const RESTARTS = Number(process.env['RESTARTS'] ?? 10);
const PING_EVERY_MS = 100;
const TIMEOUT_MS = 60_000 + RESTARTS * 5_000;

let directory: string;
let stage: Stage;
let actor: Actor;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-restarts-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
  actor = await stage.actor('restarted');
  await actor.vm.startAgent();
  await stage.prepare(actor, { clustered: true });
  await stage.trove.waitForStatus(actor.id, 'healthy');
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

const pids = () => [actor.vm.program('chmpx'), actor.vm.program('k2hdkc')];

/** One rpc_ping per 100 ms by Trove's own client, for as long as `work` takes. */
async function pinged(work: () => Promise<void>): Promise<{ calls: number; failures: string[] }> {
  const failures: string[] = [];
  const calls: Promise<void>[] = [];
  const ending = new AbortController();
  const pinging = (async () => {
    while (!ending.signal.aborted) {
      const call = stage.trove.api(actor.id, 'rpc_ping', {}).then(
        () => undefined,
        (error: unknown) => void failures.push(messageOf(error)),
      );
      calls.push(call);
      await sleep(systemClock, PING_EVERY_MS, ending.signal);
    }
  })();
  await work().finally(() => ending.abort());
  await pinging;
  await Promise.all(calls);
  return { calls: calls.length, failures };
}

/** Starts the next agent and waits until it consumes. */
async function nextAgent(): Promise<void> {
  const logged = (await actor.vm.log()).length;
  await actor.vm.startAgent();
  await actor.vm.untilLog(/AMQP session ready/, logged);
}

it(
  `changes no PID and fails no call in ${RESTARTS} ends by SIGTERM`,
  async () => {
    const before = pids();
    expect(before.every(Boolean)).toBe(true);
    const { calls, failures } = await pinged(async () => {
      for (let n = 0; n < RESTARTS; n++) {
        expect(await actor.vm.endAgent('SIGTERM')).toBe(0);
        await nextAgent();
        expect(pids()).toEqual(before);
      }
    });
    process.stdout.write(`${RESTARTS} × SIGTERM: ${calls} calls, ${failures.length} failed\n`);
    expect(failures).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  `changes no PID and loses no cast in ${RESTARTS} ends by SIGKILL`,
  async () => {
    const before = pids();
    /** A prepare of a VM that is prepared: it is journalled and run, and changes nothing. */
    const cast = () => stage.prepare(actor, { clustered: true });
    const castsRun = async (): Promise<number> => {
      const lines = (await actor.vm.log()).matchAll(/operation failed operation=prepare id=(\S+)/g);
      return new Set([...lines].map(([, id]) => id)).size;
    };
    const { calls, failures } = await pinged(async () => {
      for (let n = 0; n < RESTARTS; n++) {
        await cast();
        await sleep(systemClock, (n * 7) % 60); // the kill finds it in the queue, in the journal or done
        await actor.vm.endAgent('SIGKILL');
        await nextAgent();
        expect(pids()).toEqual(before);
      }
    });
    await until('every cast has run', async () => (await castsRun()) === RESTARTS);
    await until('nothing is left to do', async () => {
      return (await readdir(actor.vm.path('state/journal/open'))).length === 0;
    });
    process.stdout.write(
      `${RESTARTS} × SIGKILL: ${RESTARTS} casts run; ${calls} calls, ${failures.length} timed out\n`,
    );
    expect(pids()).toEqual(before);
    await actor.vm.untilServing();
  },
  TIMEOUT_MS,
);
