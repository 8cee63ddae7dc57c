import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isObject } from '../../src/oslo/envelope.ts';
import { cpuMs } from '../../src/process/proc-stat.ts';
import { fuzzMessages } from '../helpers/fuzz-messages.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { RawCaller, type RawReply } from '../helpers/raw-caller.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { identify, isRunning } from '../peers/processes.ts';
import { guestInfoConf } from '../peers/trove/guest-files.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

/** `FUZZ_SEED=…` is another run. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
const MESSAGES = 20_000;
/** So many are sent, and then a call that must be answered. */
const BATCH = 100;
/**
 * No batch costs the agent so many times the CPU time that its batches cost in the middle: a message
 * that makes it work without end shows however busy the machine is. 2 to 4 times are usual.
 */
const MOST_TIMES_USUAL = 25;
const MAY_GROW_BY = 5 * 1024 ** 2;

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-fuzz-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** An agent that runs, prepared without a cluster, and whoever talks to it. */
interface Victim {
  actor: Actor;
  caller: RawCaller;
  key: string | null;
  /** Bytes of heap in use, after a collection. */
  heap: () => Promise<number>;
}

async function victim(name: string, isKeyed: boolean): Promise<Victim> {
  const heapFile = path.join(directory, `heap-of-${name}`);
  const probe = path.join(projectRoot, 'test/helpers/heap-probe.cjs');
  const actor = await stage.actor(name, {
    environment: { NODE_OPTIONS: `--require=${probe}`, HEAP_PROBE_FILE: heapFile },
  });
  const { id, vm, secrets } = actor;
  const key = isKeyed ? (secrets[0] ?? '') : null;
  await writeFile(vm.path('conf.d/guest_info.conf'), guestInfoConf({ id, key }));
  await vm.startAgent();
  await vm.untilLog(/AMQP session ready/);
  const transportUrl = stage.broker.url(stage.vhost);
  const caller = await RawCaller.open({ transportUrl, exchange: 'trove', id, key });
  const prepare = { packages: [], databases: null, memory_mb: 512, users: null };
  await caller.send(caller.request('prepare', prepare));
  await vm.untilLog(/status for Trove.*running/);
  return { actor, caller, key, heap: () => heapOf(vm.agentPid ?? NaN, heapFile) };
}

async function heapOf(pid: number, file: string): Promise<number> {
  const lines = async (): Promise<string[]> =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const before = (await lines()).length;
  process.kill(pid, 'SIGUSR2');
  const newest = await until('the heap is measured', async () => (await lines())[before]);
  return Number(newest);
}

/** A reply that oslo.messaging can read: a result, or a failure that names an exception. */
function isReply({ failure, ending }: RawReply): boolean {
  if (ending !== true) return false;
  if (failure === null) return true;
  const described: unknown = JSON.parse(failure);
  return isObject(described) && typeof described['class'] === 'string';
}

describe.each([
  ['encrypted', true],
  ['not encrypted', false],
])('an agent whose messages are %s', (name, isKeyed) => {
  it(`survives ${MESSAGES} messages (seed ${SEED})`, { timeout: 900_000 }, async () => {
    const { actor, caller, key, heap } = await victim(name.replaceAll(' ', '-'), isKeyed);
    const { replyQueue, replies } = caller;
    const messages = fuzzMessages({ replyQueue, key, seed: SEED, count: MESSAGES });
    const { vm } = actor;
    const agent = identify(vm.agentPid ?? NaN);
    const heapBefore = await heap();

    const costs: number[] = [];
    for (let at = 0; at < MESSAGES; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      const before = cpuMs(agent?.pid ?? NaN);
      await Promise.all(batch.map((one) => caller.publish(one.content, one.properties)));
      const reply = await caller.call('rpc_ping');
      expect(caller.resultOf(reply)).toBe(true);
      costs.push(cpuMs(agent?.pid ?? NaN) - before);
    }

    const calls = messages.map(({ answerTo }) => answerTo).filter((id) => id !== null);
    const unanswered = (): string[] => calls.filter((id) => !replies.has(id));
    await until('every call is answered', () => unanswered().length === 0).catch(() => undefined);
    const left = new Set(unanswered());
    const silent = messages.filter(({ answerTo }) => answerTo !== null && left.has(answerTo));
    expect(silent.slice(0, 3).map(({ content }) => content.toString().slice(0, 1_000))).toEqual([]);
    const usual = costs.toSorted((a, b) => a - b)[costs.length / 2] ?? NaN;
    expect(usual).toBeGreaterThan(0);
    expect(Math.max(...costs) / usual).toBeLessThan(MOST_TIMES_USUAL);
    expect(calls.length).toBeGreaterThan(MESSAGES / 4);
    expect([...replies.values()].flat().filter((reply) => !isReply(reply))).toEqual([]);

    expect(agent && isRunning(agent)).toBe(true);
    const grown = await until('the heap is as small as before', async () => {
      const more = (await heap()) - heapBefore;
      return more < MAY_GROW_BY && { more };
    });
    process.stdout.write(
      `${name}: ${MESSAGES} messages, ${calls.length} calls answered, ${usual} ms of CPU time per ` +
        `${BATCH}, ${Math.max(...costs)} at most, heap ${(grown.more / 1024 ** 2).toFixed(1)} MiB more than before\n`,
    );
    await caller.close();
  });
});
