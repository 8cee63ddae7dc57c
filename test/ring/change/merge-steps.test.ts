import { describe, expect, it } from 'vitest';
import {
  mergePhase,
  nextMergeStep,
  serverKey,
  undoStep,
  type MergeGoal,
  type MergePhase,
  type MergeStep,
} from '../../../src/ring/change/merge-steps.ts';
import { ring, server } from '../rings.ts';

/** `SERVICEIN c`, … , `over` or `wait`. */
function words({ orders, over }: MergeStep): string {
  if (over) return 'over';
  return orders.map(({ command, at }) => `${command} ${at.name}`).join(', ') || 'wait';
}

function next(goal: MergeGoal, self: string, statuses: string[], included = '', aborted = 0) {
  const keys = included.split(' ').map((name) => serverKey(server(name, 'IN')));
  return words(nextMergeStep(ring(self, ...statuses), { goal, included: new Set(keys), aborted }));
}

it.each<[MergePhase, string[]]>([
  ['quiet', ['IN', 'IN', 'OUT']],
  ['gathering', ['IN', 'IN', 'IN ADD Pending']],
  ['gathered', ['IN Pending', 'IN DELETE Pending', 'IN ADD Pending']],
  ['gathered', ['IN', 'IN', 'IN Pending']],
  ['merging', ['IN Done', 'IN Doing', 'IN ADD Done']],
  ['mixed', ['IN Done', 'IN Pending', 'IN ADD Done']],
  ['merged', ['IN Done', 'IN Done', 'IN ADD Done']],
  ['mixed', ['IN Done', 'IN DOWN', 'IN ADD Done']],
  ['mixed', ['IN Doing', 'IN DOWN', 'IN ADD Doing']],
  ['mixed', ['IN Done', 'IN Suspend', 'IN ADD Done']],
  ['merged', ['IN Done', 'IN DOWN', 'IN']],
  ['gathered', ['IN Pending', 'IN DOWN', 'IN ADD Pending']],
])('%s: %s', (phase, statuses) => {
  expect(mergePhase(ring('a', ...statuses))).toBe(phase);
});

describe('a joiner leads (docs/contracts/ring.md, 7.1)', () => {
  it.each<[string, string, string[], string?]>([
    ['goes in itself', 'SERVICEIN c', ['IN', 'IN', 'OUT']],
    ['takes along who waits too', 'SERVICEIN c, SERVICEIN d', ['IN', 'IN', 'OUT', 'OUT']],
    ['takes nobody without a k2hdkc', 'SERVICEIN c', ['IN', 'IN', 'OUT', 'OUT Suspend']],
    ['makes the others take part', 'SERVICEOUT a, SERVICEOUT b', ['IN', 'IN', 'IN ADD Pending']],
    [
      'calls them back at once',
      'SERVICEIN a, SERVICEOUT b',
      ['IN DELETE Pending', 'IN', 'IN ADD Pending'],
      'a',
    ],
    ['merges', 'MERGE c', ['IN Pending', 'IN Pending', 'IN ADD Pending'], 'a b'],
    ['lets a leaver go', 'MERGE c', ['IN DELETE Pending', 'IN Pending', 'IN ADD Pending'], 'b'],
    ['waits for one that crashed', 'wait', ['IN Pending', 'IN DOWN', 'IN ADD Pending']],
    ['waits for one without k2hdkc', 'wait', ['IN Pending', 'IN Suspend', 'IN ADD Pending']],
    ['waits for the data', 'wait', ['IN Doing', 'IN Done', 'IN ADD Doing']],
    ['completes', 'COMPMERGE c', ['IN Done', 'IN Done', 'IN ADD Done']],
    ['begins anew after a restart', 'ABORTMERGE c', ['IN Done', 'IN Pending', 'IN ADD Done']],
    ['has led', 'over', ['IN', 'IN', 'IN']],
  ])('%s: %s', (_, expected, statuses, included) => {
    expect(next('join', 'c', statuses, included)).toBe(expected);
  });

  it('makes a new ring of all who wait', () => {
    expect(next('join', 'a', ['OUT', 'OUT', 'OUT'])).toBe('SERVICEIN a, SERVICEIN b, SERVICEIN c');
    expect(next('join', 'a', Array<string>(3).fill('IN ADD Pending'))).toBe('MERGE a');
  });

  it('lets another server begin after a merge that hung', () => {
    const statuses = ['IN Pending', 'IN Pending', 'IN ADD Pending'];
    expect(next('join', 'c', statuses, 'a b', 1)).toBe('MERGE a');
    expect(next('join', 'c', statuses, 'a b', 2)).toBe('MERGE b');
  });
});

describe('a leaver leads', () => {
  it.each<[string, string, string[], string?]>([
    ['goes out itself', 'SERVICEOUT c', ['IN', 'IN', 'IN']],
    ['stays on its way', 'SERVICEOUT a, SERVICEOUT b', ['IN', 'IN', 'IN DELETE Pending'], 'c'],
    ['merges', 'MERGE c', ['IN Pending', 'IN Pending', 'IN DELETE Pending'], 'a b c'],
    ['completes', 'COMPMERGE c', ['IN Done', 'IN Done', 'IN DELETE Done']],
    ['goes out again after an abort', 'SERVICEOUT c', ['IN Pending', 'IN Pending', 'IN Pending']],
    ['has left', 'over', ['IN', 'IN', 'OUT']],
  ])('%s: %s', (_, expected, statuses, included) => {
    expect(next('leave', 'c', statuses, included)).toBe(expected);
  });
});

describe('whoever finishes', () => {
  it.each<[string, string, string[]]>([
    ['its own return concerns nobody else', 'MERGE b', ['IN', 'IN Pending', 'IN']],
    ['… and is completed', 'COMPMERGE b', ['IN', 'IN Done', 'IN']],
    ['goes on where a joiner stopped', 'SERVICEOUT b', ['IN Pending', 'IN', 'IN ADD Pending']],
    ['lets a leaver go that is gone', 'MERGE b', ['IN Pending', 'IN Pending', 'IN DELETE Pending']],
    ['… or down', 'MERGE b', ['IN Pending', 'IN Pending', 'IN DOWN DELETE Pending']],
    ['leaves who waits outside', 'over', ['IN', 'IN', 'OUT']],
  ])('%s: %s', (_, expected, statuses) => {
    expect(next('finish', 'b', statuses)).toBe(expected);
  });
});

describe('giving up', () => {
  const undo = (goal: MergeGoal, ...statuses: string[]): string =>
    words(undoStep(ring('c', ...statuses), goal));

  it('takes everybody back to Pending, then the joiner out', () => {
    expect(undo('join', 'IN Done', 'IN Doing', 'IN ADD Done')).toBe('ABORTMERGE c');
    expect(undo('join', 'IN Pending', 'IN Pending', 'IN ADD Pending')).toBe('SERVICEOUT c');
    expect(undo('join', 'IN Pending', 'IN Pending', 'OUT')).toBe('over');
  });

  it('or the leaver in again', () => {
    expect(undo('leave', 'IN Pending', 'IN Pending', 'IN DELETE Pending')).toBe('SERVICEIN c');
    expect(undo('leave', 'IN Pending', 'IN Pending', 'IN Pending')).toBe('over');
  });
});
