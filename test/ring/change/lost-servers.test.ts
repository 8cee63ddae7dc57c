import { describe, expect, it } from 'vitest';
import { lostServers, type LossRules } from '../../../src/ring/change/lost-servers.ts';
import { nextMergeStep } from '../../../src/ring/change/merge-steps.ts';
import { ring } from '../rings.ts';

const ROLE = new Set(['cuk-a', 'cuk-b', 'cuk-c', 'cuk-d', 'cuk-e']);
const RULES: LossRules = { role: ROLE, replicas: 1, stillMs: 20_000 };
const [P, D] = ['IN Pending', 'IN DOWN'];

function lost(statuses: string[], rules: Partial<LossRules> = {}): string {
  const found = lostServers(ring('a', ...statuses), { ...RULES, ...rules });
  return found.map(({ name }) => name).join(' ');
}

describe('a closed ring goes on without a server that is down', () => {
  it.each<[string, string, string[], Partial<LossRules>?]>([
    ['when each key has another copy', 'c', [P, P, D]],
    ['… also while somebody joins', 'c', [P, P, D, 'IN ADD Pending']],
    ['… or leaves', 'c', [P, P, D, 'IN DELETE Pending']],
    ['not without copies', '', [P, P, D], { replicas: 0 }],
    ['not when more are down than there are copies', '', [P, P, P, D, D]],
    ['… all of them when there are enough', 'd e', [P, P, P, D, D], { replicas: 2 }],
    ['not with half of the ring', '', [P, D]],
    ['… whatever the copies are', '', [P, P, D, D], { replicas: 2 }],
    ['… of which a joiner is no part', '', [P, D, 'IN ADD Pending']],
    ['not before it may be back', '', [P, P, D], { stillMs: 19_999 }],
    ['not while it lives and only lacks its k2hdkc', '', [P, P, 'IN Suspend']],
    ['not while anybody serves', '', [P, 'IN', D]],
    ['not when nobody merges', '', ['IN', 'IN', D]],
    ['not while data moves', '', ['IN Doing', 'IN Doing', D, 'IN ADD Doing']],
    [
      'one that left the role counts too',
      '',
      [P, P, P, D, D],
      { role: new Set([...ROLE].slice(0, 4)) },
    ],
  ])('%s: %s', (_, expected, statuses, rules) => {
    expect(lost(statuses, rules)).toBe(expected);
  });
});

it('the leader takes it out, and names it while it may not', () => {
  const status = ring('a', P, P, D);
  const lead = {
    ...{ goal: 'finish' as const, included: new Set<string>(), aborted: 0, gaveMerge: false },
    joiners: new Set<string>(),
  };
  const { orders } = nextMergeStep(status, { ...lead, ...RULES });
  expect(orders.map(({ command, at, names }) => `${command} ${at.name} ${names?.name}`)).toEqual([
    'SERVICEOUT a c',
  ]);
  const waits = nextMergeStep(status, { ...lead, ...RULES, replicas: 0 });
  expect(waits).toMatchObject({
    orders: [],
    waits: 'c is down: it must be back, or out of the role',
  });
});
