import { describe, expect, it } from 'vitest';
import {
  goalReached,
  nextMergeStep,
  undoStep,
  type MergeGoal,
  type MergeLead,
  type MergeStep,
} from '../../../src/ring/change/merge-steps.ts';
import { goneServers, joiners } from '../../../src/ring/change/merge-phase.ts';
import { serverKey } from '../../../src/ring/ring.ts';
import { ring, server } from '../rings.ts';

/** `SERVICEIN c`, … , `over` or `wait`. */
function words({ orders, over }: MergeStep): string {
  if (over) return 'over';
  return orders.map(({ command, at }) => `${command} ${at.name}`).join(', ') || 'wait';
}

function keys(names: string): Set<string> {
  return new Set(names.split(' ').map((name) => serverKey(server(name, 'IN'))));
}

/** By default the leader has seen the merge begin, with the joiners that there still are. */
function next(
  goal: MergeGoal,
  self: string,
  statuses: string[],
  included = '',
  more: Partial<MergeLead> = {},
) {
  const status = ring(self, ...statuses);
  const seen = new Set(joiners(status).map(serverKey));
  const lead = {
    goal,
    included: keys(included),
    aborted: 0,
    joiners: seen,
    gaveMerge: true,
    stillMs: 60_000,
  };
  return words(nextMergeStep(status, { ...lead, ...more }));
}

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
    ['begins nothing while a server of the ring is down', 'wait', ['IN', 'IN DOWN', 'OUT']],
    ['… or without its k2hdkc', 'wait', ['IN', 'IN Suspend', 'OUT']],
    ['waits for one that crashed', 'wait', ['IN Pending', 'IN DOWN', 'IN ADD Pending']],
    ['waits for one without k2hdkc', 'wait', ['IN Pending', 'IN Suspend', 'IN ADD Pending']],
    ['waits for the data', 'wait', ['IN Doing', 'IN Done', 'IN ADD Doing']],
    ['completes', 'COMPMERGE c', ['IN Done', 'IN Done', 'IN ADD Done']],
    ['begins anew after a restart', 'ABORTMERGE c', ['IN Done', 'IN Pending', 'IN ADD Done']],
    ['has led', 'over', ['IN', 'IN', 'IN']],
  ])('%s: %s', (_, expected, statuses, included) => {
    expect(next('join', 'c', statuses, included)).toBe(expected);
  });

  it('waits until nobody outside can be a server that has just left', () => {
    const statuses = ['IN', 'IN', 'OUT', 'OUT'];
    expect(next('join', 'c', statuses, '', { stillMs: 1_999 })).toBe('wait');
    expect(next('join', 'c', statuses, '', { stillMs: 2_000 })).toBe('SERVICEIN c, SERVICEIN d');
    expect(next('join', 'c', ['IN', 'IN', 'OUT', 'OUT DOWN'], '', { stillMs: 0 })).toBe(
      'SERVICEIN c',
    );
    expect(next('join', 'a', ['OUT', 'OUT'], '', { stillMs: 0 })).toBe('SERVICEIN a, SERVICEIN b');
    expect(next('leave', 'c', ['IN', 'IN', 'IN', 'OUT'], '', { stillMs: 0 })).toBe('SERVICEOUT c');
    const begun = ['IN', 'IN', 'IN ADD Pending', 'OUT'];
    expect(next('join', 'c', begun, '', { stillMs: 0 })).toBe('SERVICEIN d');
  });

  it('says for whom it waits', () => {
    const wait = (...statuses: string[]): string =>
      nextMergeStep(ring('c', ...statuses), {
        ...{
          goal: 'join',
          included: new Set(),
          aborted: 0,
          joiners: null,
          gaveMerge: false,
          stillMs: 0,
        },
        role: new Set(['cuk-a', 'cuk-b', 'cuk-c', 'cuk-d']),
      }).waits;
    expect(wait('IN', 'IN DOWN', 'OUT')).toBe('b is down: it must be back, or out of the role');
    expect(wait('IN', 'IN', 'OUT', 'OUT')).toBe('d is outside only now');
    expect(wait('IN Pending', 'IN DOWN', 'IN ADD Pending')).toContain('b is down');
    expect(wait('IN', 'IN', 'OUT')).toBe('');
  });

  it('takes a dead server out that the role has no longer, in the same go', () => {
    const role = new Set(['cuk-a', 'cuk-c']);
    expect(next('join', 'c', ['IN', 'IN DOWN', 'OUT'], '', { role })).toBe(
      'SERVICEIN c, SERVICEOUT c',
    );
  });

  it('makes a new ring of all who wait', () => {
    expect(next('join', 'a', ['OUT', 'OUT', 'OUT'])).toBe('SERVICEIN a, SERVICEIN b, SERVICEIN c');
    expect(next('join', 'a', Array<string>(3).fill('IN ADD Pending'))).toBe('MERGE a');
  });

  it('lets another server begin after a merge that hung', () => {
    const statuses = ['IN Pending', 'IN Pending', 'IN ADD Pending'];
    expect(next('join', 'c', statuses, 'a b', { aborted: 1 })).toBe('MERGE a');
    expect(next('join', 'c', statuses, 'a b', { aborted: 2 })).toBe('MERGE b');
  });
});

describe('a leaver leads', () => {
  it.each<[string, string, string[], string?]>([
    ['goes out itself', 'SERVICEOUT c', ['IN', 'IN', 'IN']],
    ['stays on its way', 'SERVICEOUT a, SERVICEOUT b', ['IN', 'IN', 'IN DELETE Pending'], 'c'],
    ['merges', 'MERGE c', ['IN Pending', 'IN Pending', 'IN DELETE Pending'], 'a b c'],
    ['completes', 'COMPMERGE c', ['IN Done', 'IN Done', 'IN DELETE Done']],
    ['begins nothing while a server of the ring is down', 'wait', ['IN', 'IN DOWN', 'IN']],
    ['the last server just stops', 'over', ['OUT', 'OUT', 'IN']],
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

describe('servers that are Done may lack data', () => {
  const statuses = ['IN Done', 'IN Done', 'IN ADD Done', 'OUT DOWN'];
  it.each<[string, string, string[], Partial<MergeLead>]>([
    [
      'a joiner is out that was there when the merge began',
      'ABORTMERGE c',
      statuses,
      { joiners: keys('c d') },
    ],
    ['another leader may know better', 'wait', statuses, { joiners: keys('c d'), stillMs: 2_000 }],
    ['one waits outside that never joined', 'COMPMERGE c', statuses, { joiners: keys('c') }],
    ['the leader has not seen the beginning', 'ABORTMERGE c', statuses, { joiners: null }],
    ['… and another one may have', 'wait', statuses, { joiners: null, stillMs: 13_999 }],
    ['… but not for ever', 'ABORTMERGE c', statuses, { joiners: null, stillMs: 14_000 }],
    [
      'it was the only change',
      'COMPMERGE c',
      ['IN Done', 'IN', 'IN Done', 'OUT'],
      { joiners: null },
    ],
  ])('%s: %s', (_, expected, words, lead) => {
    expect(next('finish', 'c', words, '', lead)).toBe(expected);
  });

  it('a merge of another leader is left to that one for a while', () => {
    const others = (stillMs: number): string =>
      next('finish', 'c', statuses, '', { gaveMerge: false, stillMs });
    expect([others(2_499), others(2_500)]).toEqual(['wait', 'COMPMERGE c']);
  });
});

it('waits with MERGE while somebody may only pass through DELETE Pending', () => {
  const statuses = ['IN DELETE Pending', 'IN Pending', 'IN ADD Pending'];
  expect(next('join', 'c', statuses, 'b', { stillMs: 2_000 })).toBe('wait');
  expect(next('join', 'c', statuses, 'b', { stillMs: 2_499 })).toBe('wait');
  expect(next('join', 'c', statuses, 'b', { stillMs: 2_500 })).toBe('MERGE c');
  const dead = ['IN DOWN DELETE Pending', 'IN Pending', 'IN ADD Pending'];
  expect(next('join', 'c', dead, 'b', { stillMs: 0 })).toBe('MERGE c');
  const own = ['IN Pending', 'IN Pending', 'IN DELETE Pending'];
  expect(next('leave', 'c', own, 'a b', { stillMs: 0 })).toBe('MERGE c');
});

it('a leaver that died in a merge which ended without COMPMERGE keeps all from merging', () => {
  const statuses = ['IN Pending', 'IN Pending', 'IN DOWN DELETE Done'];
  expect(next('finish', 'a', statuses, '', { stillMs: 2_000 })).toBe('wait');
  expect(next('finish', 'a', statuses, '', { stillMs: 2_499 })).toBe('wait');
  expect(next('finish', 'a', statuses, '', { stillMs: 2_500 })).toBe('ABORTMERGE a');
});

it('a server that is down and in the role no longer is gone, also when it died while it left', () => {
  const status = ring('a', 'IN', 'IN DOWN', 'IN DOWN DELETE Pending', 'IN DOWN', 'IN');
  const role = new Set(['cuk-a', 'cuk-d']);
  expect(goneServers(status, role).map(({ name }) => name)).toEqual(['b', 'c']);
  expect(next('finish', 'a', ['IN', 'IN DOWN'], '', { role: new Set(['cuk-a']) })).toBe(
    'SERVICEOUT a',
  );
  const died = ['IN', 'IN', 'IN DOWN DELETE Pending'];
  expect(next('finish', 'a', died, '', { role: new Set(['cuk-a', 'cuk-b']) })).toBe(
    'SERVICEOUT a, SERVICEOUT b',
  );
});

describe('giving up', () => {
  const giveUp = (goal: MergeGoal, statuses: string[], more: Partial<MergeLead> = {}): string => {
    const status = ring('c', ...statuses);
    const seen = new Set(joiners(status).map(serverKey));
    const lead = {
      goal,
      included: new Set<string>(),
      aborted: 0,
      joiners: seen,
      gaveMerge: true,
      stillMs: 5_999,
    };
    return words(undoStep(status, { ...lead, ...more }));
  };
  const undo = (goal: MergeGoal, ...statuses: string[]): string => giveUp(goal, statuses);

  it('takes everybody back to Pending, then the joiner out', () => {
    expect(undo('join', 'IN Done', 'IN Doing', 'IN ADD Done')).toBe('ABORTMERGE c');
    expect(undo('join', 'IN Pending', 'IN Pending', 'IN ADD Pending')).toBe('SERVICEOUT c');
    expect(undo('join', 'IN Pending', 'IN Pending', 'OUT')).toBe('over');
  });

  it('or the leaver in again', () => {
    expect(undo('leave', 'IN Pending', 'IN Pending', 'IN DELETE Pending')).toBe('SERVICEIN c');
    expect(undo('leave', 'IN Pending', 'IN Pending', 'IN Pending')).toBe('over');
  });

  it('but what is Done by then is completed, unless somebody may lack data', () => {
    const done = ['IN Done', 'IN Done', 'IN ADD Done'];
    expect(undo('join', ...done)).toBe('COMPMERGE c');
    expect(giveUp('join', done, { joiners: keys('c d') })).toBe('wait');
    expect(giveUp('join', done, { joiners: keys('c d'), stillMs: 6_000 })).toBe('ABORTMERGE c');
  });

  it('and waits for nobody when the time for giving up is shorter than that', () => {
    const done = ['IN Done', 'IN Done', 'IN DELETE Done'];
    const wait = (leftMs: number): string =>
      giveUp('leave', done, { joiners: keys('d'), stillMs: 3_000, leftMs });
    expect([wait(3_001), wait(3_000)]).toEqual(['wait', 'ABORTMERGE c']);
    expect(giveUp('leave', done, { joiners: null, stillMs: 0, leftMs: 3_000 })).toBe(
      'ABORTMERGE c',
    );
  });

  it('the goal is reached when the ring is quiet again', () => {
    const reached = (goal: MergeGoal, ...statuses: string[]): boolean =>
      goalReached(ring('c', ...statuses), goal);
    expect(reached('join', 'IN', 'IN', 'IN')).toBe(true);
    expect(reached('join', 'IN', 'IN', 'OUT')).toBe(false);
    expect(reached('leave', 'IN', 'IN', 'OUT')).toBe(true);
    expect(reached('leave', 'IN', 'IN', 'IN')).toBe(false);
    expect(reached('leave', 'IN', 'IN Pending', 'OUT')).toBe(false);
    expect(reached('leave', 'IN', 'IN', 'OUT DELETE')).toBe(false);
    expect(reached('finish', 'IN', 'IN', 'OUT')).toBe(true);
    expect(reached('finish', 'IN', 'IN Pending', 'OUT')).toBe(false);
  });
});
