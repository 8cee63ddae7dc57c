import { describe, expect, it } from 'vitest';
import { MergeDriver, UNDO_MOST_MS } from '../../../src/ring/change/merge-driver.ts';
import type { MergeGoal } from '../../../src/ring/change/merge-steps.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';
import { sightOf } from '../sight-of.ts';

/** A driver of node a in a ring whose words change only by what `obeys` makes of an order. */
function bench(
  words: string[],
  obeys: (order: Order, words: string[]) => string[] = (_, now) => now,
) {
  const clock = new ManualClock();
  const { log, texts } = recordingLog();
  const orders: string[] = [];
  let now = words;
  const sight = sightOf((): Promise<RingStatus> => Promise.resolve(ring('a', ...now)), clock);
  const driver = new MergeDriver({
    sight,
    send: (order) => {
      orders.push(`${Math.round(clock.monotonic() / 1_000)} ${order.command} ${order.at.name}`);
      now = obeys(order, now);
      return Promise.resolve();
    },
    pollMs: 100,
    stepMs: 30_000,
    patience: { tailMs: 32_000, mergeMs: 300_000, tries: 2 },
    role: () => new Set(),
    clock,
    log,
  });
  const run = async (goal: MergeGoal, limitMs: number) => {
    const progress = { over: false };
    const outcome = driver.run(goal, limitMs, new AbortController().signal).then((result) => {
      progress.over = true;
      return result;
    });
    while (!progress.over) await clock.advance(100);
    return outcome;
  };
  const look = (): Promise<unknown> => sight.look();
  return { clock, run, look, orders, texts };
}

/** Of a ring that does all that it is told, at once. */
function obedient({ command, at }: Order, words: string[]): string[] {
  return words.map((text, n) => {
    const isIt = at.name === 'abcdef'.charAt(n);
    if (command === 'SERVICEIN' && isIt) return text === 'OUT' ? 'IN ADD Pending' : 'IN Pending';
    if (command === 'SERVICEOUT' && isIt)
      return text === 'IN ADD Pending' ? 'OUT' : 'IN DELETE Pending';
    if (command === 'MERGE') return text.replace('Pending', 'Done');
    if (command === 'ABORTMERGE') return text.replace(/Doing|Done/, 'Pending');
    if (command === 'COMPMERGE') return text.includes('DELETE') ? 'OUT' : 'IN';
    return text;
  });
}

describe('one deadline for leading, undoing and opening', () => {
  it.each([10_000, 170_000])('of %d ms, in a ring that does not react', async (limitMs) => {
    const { run, orders } = bench(['IN DELETE Doing', 'IN Doing']);
    const outcome = await run('leave', limitMs);
    expect(outcome).toMatchObject({ result: 'stuck', hungItself: false });
    expect(outcome.why).toMatch(/^still merging .*; undoing: still merging /);
    expect(outcome.tookMs).toBe(limitMs);
    expect(outcome.closedMs).toBe(limitMs);
    const undoFromS = (limitMs - Math.min(UNDO_MOST_MS, limitMs * 0.3)) / 1_000;
    expect(orders[0]).toBe(`${undoFromS} ABORTMERGE a`);
  });

  it('keeps the time for undoing, and half of it for opening, when the lead uses all that it has', async () => {
    const { run, orders, texts } = bench(['IN DELETE Doing', 'IN Doing'], obedient);
    const outcome = await run('leave', 10_000);
    expect(outcome).toMatchObject({ result: 'undone', aborted: 1 });
    expect(outcome.tookMs).toBeGreaterThanOrEqual(7_000);
    expect(outcome.tookMs).toBeLessThan(10_000);
    expect(orders.map((order) => order.split(' ').slice(1).join(' '))).toEqual([
      'ABORTMERGE a',
      'SERVICEIN a',
      'MERGE a',
      'COMPMERGE a',
    ]);
    expect(texts).toContain('a coordinated merge did not end: undoing it');
  });
});

it('leads a leave to its end, and counts for how long the ring was closed', async () => {
  const { run, orders } = bench(['IN', 'IN'], obedient);
  const outcome = await run('leave', 10_000);
  expect(outcome).toMatchObject({ result: 'done', why: '', aborted: 0, hungItself: false });
  expect(outcome.closedMs).toBeGreaterThan(0);
  expect(outcome.closedMs).toBeLessThanOrEqual(outcome.tookMs);
  expect(orders.map((order) => order.split(' ').slice(1).join(' '))).toEqual([
    'SERVICEOUT a',
    'SERVICEOUT b',
    'SERVICEIN b',
    'MERGE a',
    'COMPMERGE a',
  ]);
});

it('counts each merge that was given up, also when a server that started again was the cause', async () => {
  let merges = 0;
  const { run } = bench(['IN', 'IN'], (order, now) => {
    if (order.command !== 'MERGE') return obedient(order, now);
    merges += 1;
    return merges < 3 ? ['IN DELETE Done', 'IN Pending'] : obedient(order, now);
  });
  expect(await run('leave', 60_000)).toMatchObject({ result: 'done', aborted: 2 });
});

describe('the merge is Done just when it is given up', () => {
  it.each<[MergeGoal, string[]]>([
    ['leave', ['IN DELETE Pending', 'IN Pending']],
    ['join', ['IN ADD Pending', 'IN Pending']],
  ])('%s: it is completed, and is no failure', async (goal, words) => {
    const { run, orders } = bench(words, (order, now) => {
      if (order.command === 'MERGE') return words.map((text) => text.replace('Pending', 'Doing'));
      if (order.command !== 'ABORTMERGE') return obedient(order, now);
      return words.map((text) => text.replace('Pending', 'Done'));
    });
    expect(await run(goal, 10_000)).toMatchObject({ result: 'done', why: '' });
    expect(orders).toEqual(['0 MERGE a', '7 ABORTMERGE a', '7 COMPMERGE a']);
  });

  it('unless a joiner has gone that was there when it began', async () => {
    const begun = ['IN DELETE Pending', 'IN Pending', 'IN ADD Pending'];
    const { run, orders } = bench(begun, ({ command }) =>
      command === 'MERGE'
        ? begun.map((text) => text.replace('Pending', 'Doing'))
        : ['IN DELETE Done', 'IN Done', 'OUT DOWN'],
    );
    expect(await run('leave', 60_000)).toMatchObject({ result: 'stuck' });
    expect(orders.slice(0, 2)).toEqual(['0 MERGE a', '42 ABORTMERGE a']);
    expect(orders.filter((order) => order.includes('COMPMERGE'))).toEqual([]);
    expect(orders[2]).toBe('48 ABORTMERGE a');
  });
});

describe('a take-over of a merge that has stood still for long', () => {
  const take = async (goal: MergeGoal) => {
    const { clock, look, orders, run } = bench(['IN Done', 'IN Doing', 'IN ADD Done'], obedient);
    await look();
    await clock.advance(310_000);
    return { outcome: await run(goal, 630_000), orders };
  };

  it('aborts it at once: its leader has waited that long', async () => {
    const { outcome, orders } = await take('finish');
    expect(outcome).toMatchObject({ result: 'done', aborted: 1 });
    expect(orders[0]).toBe('310 ABORTMERGE a');
  });

  it('but a joiner gives the merge of others its whole time', async () => {
    const { orders } = await take('join');
    expect(orders[0]).toBe('342 ABORTMERGE a');
  });
});

it('calls back whom it has taken out, also when it gives up', async () => {
  let heard = 0;
  const { run, orders } = bench(['IN', 'IN', 'IN'], (order, words) => {
    const isOfB = order.command === 'SERVICEIN' && order.at.name === 'b';
    if (isOfB) heard += 1;
    return isOfB && heard < 20 ? words : obedient(order, words);
  });
  expect(await run('leave', 60_000)).toMatchObject({ result: 'undone' });
  const back = orders.findIndex((order) => order.endsWith('SERVICEIN a'));
  expect(back).toBeGreaterThan(0);
  expect(orders.slice(back).join()).toContain('SERVICEIN b');
});

it('keeps 30 s at most for undoing', async () => {
  const { run, orders } = bench(['IN DELETE Doing', 'IN Doing']);
  await run('leave', 170_000);
  expect(orders[0]).toBe('140 ABORTMERGE a');
});
