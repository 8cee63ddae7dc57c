import { expect, it } from 'vitest';
import { plan } from '../../../src/node/plan/plan.ts';
import { planCompletion } from '../../../src/node/plan/completion.ts';
import { ring } from '../../ring/rings.ts';
import { desiredState, observed, TIMES, told, type Change } from '../builders.ts';

/** What node b does about it, the ring having been the same for so long (ms). */
function step(statuses: string[], ms: number, change: Change = {}): string {
  const seen = observed({ ringStillMs: ms, ...change });
  const found = planCompletion(ring('b', ...statuses), seen, TIMES);
  return found ? told(found) : 'nothing';
}

const CURE = 'cure COMPMERGE';

it.each<[string, string, string[], number, Change?]>([
  ['nobody merges', 'nothing', ['IN', 'IN'], 90_000],
  ['its own join', CURE, ['IN', 'IN ADD Done'], 5_100],
  ['its own return', CURE, ['IN', 'IN Done'], 5_100],
  ['its own leave, tried by another agent', CURE, ['IN', 'IN DELETE Done'], 5_100],
  ['its own, just now', 'nothing', ['IN', 'IN ADD Done'], 4_900],
  ['while another merges', 'nothing', ['IN Doing', 'IN ADD Done'], 90_000],
  ['a leave of another, which has its turn', 'nothing', ['IN DELETE Done', 'IN'], 9_900],
  ['a leave of another whose agent is dead', CURE, ['IN DELETE Done', 'IN'], 10_100],
  ['the same, one server being before', 'nothing', ['IN', 'IN', 'IN DELETE Done'], 14_900],
  ['the same, when that one does nothing', CURE, ['IN', 'IN', 'IN DELETE Done'], 15_100],
  ['a leave of one that is down', CURE, ['IN DOWN DELETE Done', 'IN'], 5_100],
  ['of a ring that it is not in', 'nothing', ['IN DELETE Done', 'OUT'], 90_000],
  ['sent just now', 'nothing', ['IN', 'IN ADD Done'], 20_000, { cureSentMs: 15_000 }],
  ['sent without an effect', CURE, ['IN', 'IN ADD Done'], 20_100, { cureSentMs: 15_100 }],
])('%s: %s', (_, expected, statuses, ms, change) => {
  expect(step(statuses, ms, change)).toBe(expected);
});

it('is the business of a server that serves, when merges are automatic', () => {
  const seen = observed({ status: ring('b', 'IN DELETE Done', 'IN'), ringStillMs: 10_100 });
  expect(plan(desiredState(), seen, TIMES)).toMatchObject({
    action: { do: 'cure', command: 'COMPMERGE' },
    why: 'the data of another is there, but nobody completes the merge',
  });
});
