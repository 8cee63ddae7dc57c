import { expect, it } from 'vitest';
import { because, restartPair, stopChmpx, wait } from '../../../src/node/plan/step.ts';
import { desiredState, IN, observed, ringStatus, type Change } from '../builders.ts';

it.each<[string, Change, boolean]>([
  ['takes signals', {}, false],
  ['hangs in a merge', { mergeHangs: true }, true],
  ['hung in a merge that was aborted', { mergeHung: true }, true],
])(
  'a chmpx that %s is stopped so, and the status that was seen last is said',
  (_, change, hard) => {
    const seen = observed({ status: ringStatus(IN), ...change });
    expect(restartPair(seen, 'why')).toEqual({
      kind: 'do',
      action: { do: 'restart-pair', hard, suspends: true, why: `no progress, last seen as ${IN}` },
      why: 'why',
    });
  },
);

it('says when no status was seen', () => {
  const { action } = restartPair(observed({ status: null }), '') as { action: unknown };
  expect(action).toMatchObject({ why: 'no progress, last seen as without a status' });
});

it('a chmpx sees its k2hdkc go first, but that of a slave has none', () => {
  expect(stopChmpx(desiredState())).toEqual({ do: 'stop-chmpx', suspends: true });
  expect(stopChmpx(desiredState({ mode: 'slave' }))).toEqual({ do: 'stop-chmpx', suspends: false });
});

it('a wait has a time only when it is given one', () => {
  expect(wait('why')).toStrictEqual({ kind: 'wait', why: 'why' });
  expect(wait('why', 0)).toStrictEqual({ kind: 'wait', why: 'why', ms: 0 });
});

it('a reason has its problem behind it, when there is one', () => {
  expect(because(null)).toBe('');
  expect(because('no answer')).toBe(' (no answer)');
});
