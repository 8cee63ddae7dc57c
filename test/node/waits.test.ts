import { describe, expect, it } from 'vitest';
import { RESTORE_FIRST } from '../../src/node/plan/start.ts';
import { act, wait, type Step } from '../../src/node/plan/step.ts';
import type { Snapshot } from '../../src/node/reconciler.ts';
import { whatWaits } from '../../src/node/waits.ts';
import { ring } from '../ring/rings.ts';
import { desiredState, nothingRuns, observed } from './builders.ts';

function seen(step: Step, change: Partial<Snapshot> = {}): Snapshot {
  const common = {
    desired: desiredState(),
    observed: nothingRuns(),
    state: 'registering',
  } as const;
  return { ...common, step, ...change };
}

describe('a node that does not get on', () => {
  const refused = 'registering in K2HR3 (connection refused)';

  it('says what it waits for, and why', () => {
    expect(whatWaits(seen(wait(refused)))).toEqual([
      {
        kind: 'waits',
        subject: 'registering',
        text: `this node is registering and does not get on: ${refused}`,
        patienceMs: 30_000,
      },
    ]);
  });

  it('is one concern while it waits and tries in turns', () => {
    const subjects = [wait(refused), act({ do: 'register' }, 'not registered yet')].map(
      (step) => whatWaits(seen(step))[0]?.subject,
    );
    expect(subjects).toEqual(['registering', 'registering']);
  });
});

it.each<[string, Snapshot | null]>([
  ['nothing was seen yet', null],
  ['all is done', seen({ kind: 'rest', why: 'stopped' })],
  ['a backup is restored', seen(RESTORE_FIRST)],
  ['it serves, and others are rolled', seen(wait('one after the other'), { state: 'serving' })],
  ['it leads a merge', seen(act({ do: 'lead-merge', goal: 'join' }, 'joining'))],
  [
    'the ring merges',
    seen(wait('the ring merges'), {
      state: 'joining',
      observed: observed({ status: ring('a', 'IN', 'OUT ADD Pending') }),
    }),
  ],
])('is no concern when %s', (_, snapshot) => {
  expect(whatWaits(snapshot)).toEqual([]);
});
