import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { sleep, systemClock } from '../src/base/clock.ts';
import { startChild } from '../test/peers/child.ts';
import type { Caller } from './caller.ts';
import type { Consumers } from './consumers.ts';
import { cpuSecondsOf, memoryOf, type Memory } from './figures.ts';
import { PATH, start, type Guest, type Running } from './guests.ts';

/** Process start → first consumer, in milliseconds; the guests take turns. */
export async function measureStarts(
  guests: readonly Guest[],
  rounds: number,
  consumers: Consumers,
): Promise<Map<Guest, number[]>> {
  const times = new Map(guests.map((guest) => [guest, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const guest of guests) {
      const begun = systemClock.monotonic();
      const running = await start(guest);
      await consumers.until(guest, 1);
      times.get(guest)?.push(systemClock.monotonic() - begun);
      await sleep(systemClock, 300);
      await running.stop();
      await consumers.until(guest, 0);
      await sleep(systemClock, 300);
    }
  }
  return times;
}

/** How long Node.js needs to do nothing, in milliseconds. */
export async function measureNode(directory: string, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = systemClock.monotonic();
    const options = { cwd: directory, env: { PATH }, stdio: 'ignore' as const };
    const child = await startChild('/usr/bin/env', ['node', '-e', '0'], options);
    await once(child.process, 'exit');
    times.push(systemClock.monotonic() - begun);
    await sleep(systemClock, 100);
  }
  return times;
}

/** How a guest answers. */
export interface Calls {
  /** One after the other, in milliseconds. */
  sequential: number[];
  /** Calls per second with several callers, of each round. */
  rates: number[];
  /** CPU time of the guest per call, in milliseconds. */
  cpuPerCall: number;
}

/** How many calls, and how many at a time. */
export interface CallPlan {
  sequential: number;
  callers: number;
  rounds: number;
  perRound: number;
}

/** Calls the guests, all of which run; they take turns. */
export async function measureCalls(
  guests: readonly Guest[],
  plan: CallPlan,
  parts: { caller: Caller; consumers: Consumers },
): Promise<Map<Guest, Calls>> {
  const { caller, consumers } = parts;
  const all = guests.map((guest) => {
    const calls: Calls = { sequential: [], rates: [], cpuPerCall: 0 };
    return { guest, calls, running: undefined as Running | undefined };
  });
  try {
    for (const one of all) {
      one.running = await start(one.guest);
      await consumers.until(one.guest, 1);
      await caller.ping(one.guest, 200, 1);
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const { guest, calls, running } of all) {
        const before = cpuSecondsOf(running?.pid ?? 0);
        const one = await caller.ping(guest, Math.ceil(plan.sequential / plan.rounds), 1);
        calls.sequential.push(...one.each.map((seconds) => seconds * 1000));
        const many = await caller.ping(guest, plan.perRound, plan.callers);
        calls.rates.push(many.each.length / many.together);
        const answered = one.each.length + many.each.length;
        const used = cpuSecondsOf(running?.pid ?? 0) - before;
        calls.cpuPerCall += (1000 * used) / answered / plan.rounds;
      }
    }
  } finally {
    for (const { running } of all) await running?.stop();
  }
  return new Map(all.map(({ guest, calls }) => [guest, calls]));
}

/** A guest that nobody asks anything. */
export interface Idle extends Memory {
  /** Percent of a core. */
  cpu: number;
}

/**
 * All guests side by side for a while. Each that is a Node.js program runs on a copy of it, and so
 * shares no page of it with the others: as on its own VM.
 */
export async function measureIdle(
  guests: readonly Guest[],
  seconds: number,
  directory: string,
): Promise<Map<Guest, Idle>> {
  const all: { guest: Guest; running: Running }[] = [];
  try {
    for (const [index, guest] of guests.entries()) {
      const folder = path.join(directory, `node-${index}`);
      await mkdir(folder, { recursive: true });
      await copyFile(process.execPath, path.join(folder, 'node'));
      const found = guest.environment['PATH'] ?? PATH;
      const environment = { PATH: `${folder}:${found}` };
      all.push({ guest, running: await start(guest, environment) });
      await sleep(systemClock, 5_000);
    }
    await sleep(systemClock, 10_000);
    const before = all.map(({ running }) => cpuSecondsOf(running.pid));
    await sleep(systemClock, seconds * 1000);
    return new Map(
      all.map(({ guest, running: { pid } }, index) => {
        const cpu = (100 * (cpuSecondsOf(pid) - (before[index] ?? 0))) / seconds;
        return [guest, { ...memoryOf(pid), cpu }];
      }),
    );
  } finally {
    for (const { running } of all) await running.stop();
  }
}
