import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { REPEAT_MS } from '../../../src/ring/change/given-orders.ts';
import { Lead } from '../../../src/ring/change/lead.ts';
import { nextMergeStep, type MergeStep } from '../../../src/ring/change/merge-steps.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';
import { sightOf, WELL } from '../sight-of.ts';

/** A lead by node a of a leave, in a ring whose words a test writes; null: it cannot be seen. */
function bench(...words: string[]) {
  const clock = new ManualClock();
  const { log, texts } = recordingLog();
  const seen: { words: string[] | null; looks: number; hangs: boolean } = {
    words,
    looks: 0,
    hangs: false,
  };
  const orders: [number, string][] = [];
  let refuses = false;
  let silent = false;
  const sight = sightOf(
    () => {
      seen.looks += 1;
      return Promise.resolve(seen.words === null ? null : ring('a', ...seen.words));
    },
    clock,
    {
      ownMerge: {
        ...WELL,
        get hangs() {
          return seen.hangs;
        },
      },
    },
  );
  const lead = new Lead({
    sight,
    send: ({ command, at, names = at }) => {
      orders.push([clock.monotonic(), `${command} ${names.name}`]);
      if (silent) return new Promise(() => undefined);
      return refuses ? Promise.reject(new Error('refused')) : Promise.resolve();
    },
    pollMs: 300,
    stepMs: 30_000,
    patience: { tailMs: 8_000, mergeMs: 60_000, tries: 2 },
    clock,
    log,
  });
  const next = (status: RingStatus): MergeStep =>
    nextMergeStep(status, { ...lead.memory, goal: 'leave' });
  const follow = (deadline = 100_000, signal = new AbortController().signal) => {
    const run: { why?: string | null } = {};
    void lead.follow(next, deadline, signal).then((why) => {
      run.why = why;
    });
    return run;
  };
  const commands = (): string[] => orders.map(([, order]) => order);
  const refuse = (): boolean => (refuses = true);
  const silence = (): boolean => (silent = true);
  return { clock, seen, orders, commands, lead, follow, texts, refuse, silence };
}

it('waits for one thing at a time, however many orders it has given', async () => {
  const { clock, follow, orders } = bench('IN', 'IN');
  const { signal } = new AbortController();
  follow(100_000, signal);
  let most = 0;
  for (let n = 0; n < 100; n++) {
    await clock.advance(30);
    most = Math.max(most, getEventListeners(signal, 'abort').length);
  }
  expect(orders.length).toBeGreaterThan(0);
  expect(most).toBe(1);
});

it('gives an order that had no effect again after a while, not earlier', async () => {
  const { clock, follow, orders, seen } = bench('IN', 'IN');
  follow();
  await clock.advance(3 * REPEAT_MS);
  const times = orders.filter(([, order]) => order === 'SERVICEOUT a').map(([at]) => at);
  expect(times.length).toBeGreaterThan(2);
  for (const [n, at] of times.slice(1).entries()) {
    const pause = at - (times[n] ?? 0);
    expect(pause).toBeGreaterThanOrEqual(REPEAT_MS);
    expect(pause).toBeLessThan(REPEAT_MS + 400); // a look later
  }
  // Words that have changed make it another order.
  orders.length = 0;
  seen.words = ['IN DOWN', 'IN'];
  await clock.advance(300);
  seen.words = ['IN', 'IN'];
  await clock.advance(300);
  expect(orders.length).toBeGreaterThan(0);
});

it('gives an order to the whole ring once, also when the view changes slowly', async () => {
  const { clock, follow, commands, seen } = bench('IN Done', 'IN', 'IN');
  follow();
  await clock.advance(2_600); // the merge may have another leader
  expect(commands()).toEqual(['COMPMERGE a']);
  seen.words = ['IN Done', 'IN DOWN', 'IN'];
  await clock.advance(REPEAT_MS);
  expect(commands()).toEqual(['COMPMERGE a']);
  await clock.advance(1_000);
  expect(commands()).toEqual(['COMPMERGE a', 'COMPMERGE a']);
});

it('remembers who joined when the merge began', async () => {
  const { clock, follow, commands, seen, lead } = bench('IN Pending', 'IN ADD Pending', 'OUT');
  follow();
  await clock.advance(0);
  expect(lead.memory.joiners).toEqual(new Set(['cuk-b:8021']));
  seen.words = ['IN DELETE Doing', 'IN ADD Doing', 'IN ADD Doing'];
  await clock.advance(300);
  expect(lead.memory.joiners).toEqual(new Set(['cuk-b:8021', 'cuk-c:8021']));
  seen.words = ['IN DELETE Done', 'IN ADD Done', 'OUT DOWN'];
  await clock.advance(5_500);
  expect(commands()).not.toContain('ABORTMERGE a');
  await clock.advance(1_000);
  expect(commands()).toContain('ABORTMERGE a');
  expect(commands()).not.toContain('COMPMERGE a');
});

it('does not know who joined when it began in the middle, or saw nothing for a while', async () => {
  const late = bench('IN DELETE Doing', 'IN ADD Doing');
  late.follow();
  await late.clock.advance(300);
  expect(late.lead.memory.joiners).toBeNull();

  const blindUntil = async (...words: string[]): Promise<ReadonlySet<string> | null> => {
    const blind = bench('IN DELETE Pending', 'IN ADD Pending', 'IN ADD Pending');
    blind.follow();
    await blind.clock.advance(0);
    blind.seen.words = null;
    await blind.clock.advance(3_500);
    blind.seen.words = words;
    await blind.clock.advance(300);
    return blind.lead.memory.joiners;
  };
  expect(await blindUntil('IN DELETE Doing', 'IN ADD Doing', 'OUT DOWN')).toBeNull();
  const same = await blindUntil('IN DELETE Doing', 'IN ADD Doing', 'IN ADD Doing');
  expect(same, 'one more may have joined, and be gone').toBeNull();
});

it('sees who joins also while a control port takes long for its answer', async () => {
  const { clock, follow, seen, lead, silence } = bench('IN', 'IN', 'OUT');
  silence();
  follow();
  await clock.advance(0);
  seen.words = ['IN DELETE Pending', 'IN ADD Pending', 'OUT'];
  await clock.advance(2_000);
  seen.words = ['IN DELETE Doing', 'IN ADD Doing', 'IN ADD Doing'];
  await clock.advance(2_000);
  seen.words = ['IN DELETE Doing', 'IN ADD Doing', 'OUT DOWN'];
  await clock.advance(2_000);
  expect(lead.memory.joiners).toEqual(new Set(['cuk-b:8021', 'cuk-c:8021']));
});

it('says for whom it waited when nothing moved', async () => {
  const { clock, follow } = bench('IN', 'IN DOWN', 'IN');
  const run = follow();
  await clock.advance(30_600);
  expect(run.why).toBe(
    'still quiet: b is down: it must be back, or out of the role (a in, b in down, c in)',
  );
});

it('gives up what does not move for 30 s, or at its deadline, and says how far it was', async () => {
  const still = bench('IN DELETE Pending', 'IN Pending', 'IN');
  const run = still.follow();
  await still.clock.advance(29_900);
  expect(run.why).toBeUndefined();
  await still.clock.advance(500);
  expect(run.why).toBe('still gathering (a in delete pending, b in pending, c in)');

  const late = bench('IN DELETE Doing', 'IN Doing');
  const merging = late.follow(45_000);
  await late.clock.advance(44_900);
  expect(merging.why, 'data moves without a change of words').toBeUndefined();
  await late.clock.advance(100);
  expect(merging.why).toContain('still merging');
  expect(late.lead.closedMs).toBe(45_000);
});

it('names the command that was refused', async () => {
  const { clock, follow, refuse, texts } = bench('IN', 'IN');
  refuse();
  const run = follow(1_000);
  await clock.advance(1_000);
  expect(run.why).toBe('still quiet (a in, b in); refused');
  expect(texts).toContain('a command failed');
});

it('does not know how far it was when the ring could not be seen', async () => {
  const { clock, follow, seen } = bench('IN', 'IN');
  seen.words = null;
  const run = follow(1_000);
  await clock.advance(1_000);
  expect(run.why).toBe('still unknown (no status)');
});

it('looks more often while something has just moved', async () => {
  const { clock, follow, seen } = bench('IN DELETE Doing', 'IN Doing');
  follow();
  await clock.advance(900);
  expect(seen.looks).toBeGreaterThanOrEqual(9);
  await clock.advance(600);
  seen.looks = 0;
  await clock.advance(900);
  expect(seen.looks).toBe(3);
});

it('aborts a merge that hangs at another server, once, and gives up at the second', async () => {
  const { clock, follow, commands, seen, lead } = bench('IN DELETE Done', 'IN Doing');
  const run = follow();
  await clock.advance(8_000);
  expect(commands()).toEqual([]);
  await clock.advance(500);
  expect(commands()).toEqual(['ABORTMERGE a']);
  expect(lead.aborted).toBe(1);
  seen.words = ['IN DELETE Pending', 'IN Pending'];
  await clock.advance(300);
  seen.words = ['IN DELETE Done', 'IN Doing'];
  await clock.advance(15_800);
  expect(run.why).toBeUndefined();
  await clock.advance(1_000);
  expect(run.why).toContain('still merging');
  expect(lead.hungItself).toBe(false);
});

it('ends at once when its own server hangs: only a start of both programs cures that', async () => {
  const { clock, follow, seen, lead } = bench('IN DELETE Doing', 'IN Done');
  const run = follow();
  await clock.advance(1_000);
  expect(run.why).toBeUndefined();
  seen.hangs = true;
  await clock.advance(300);
  expect(run.why).toContain('still merging');
  expect(lead.hungItself).toBe(true);
});

it('ends when it is interrupted, and when its goal is reached', async () => {
  const ending = new AbortController();
  const { clock, follow } = bench('IN DELETE Doing', 'IN Doing');
  const run = follow(100_000, ending.signal);
  ending.abort();
  await clock.advance(300);
  expect(run.why).toBe('it was interrupted');

  const out = bench('OUT', 'IN');
  const over = out.follow();
  await out.clock.advance(0);
  expect(over.why).toBeNull();
});

it('gives an order again after 2 s, and looks three times as often for a second', async () => {
  const { clock, follow, orders, seen } = bench('IN', 'IN');
  follow();
  await clock.advance(950);
  expect(seen.looks).toBe(10);
  await clock.advance(3_500);
  expect(orders.map(([at]) => at)).toEqual([0, 2_200, 4_300]);
});

it('ends when its own server is one of those that hang, by the time that it took', async () => {
  const { clock, follow, lead, commands } = bench('IN DELETE Doing', 'IN Done');
  const run = follow();
  await clock.advance(8_000);
  expect(run.why).toBeUndefined();
  await clock.advance(500);
  expect(run.why).toContain('still merging');
  expect(lead.hungItself).toBe(true);
  expect(commands()).toEqual([]);
});
