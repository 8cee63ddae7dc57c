import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import type { Observed } from '../../../src/node/observed.ts';
import { isStopped, serves, wantsToServe } from '../../../src/node/plan/wants.ts';
import {
  desiredState,
  LEAVES_AGAIN,
  MERGING,
  nothingRuns,
  observed,
  ringStatus,
  RUNS,
} from '../builders.ts';
import { serving } from './rows.ts';

describe('wantsToServe', () => {
  it.each<[string, Partial<DesiredState>, boolean]>([
    ['prepared', {}, true],
    ['preparing', { phase: 'preparing' }, true],
    ['ready', { phase: 'ready' }, true],
    ['new', { phase: 'new' }, false],
    ['failed', { phase: 'failed' }, false],
    ['detached', { parameters: null }, false],
    ['stopped', { stopped: { bootId: null } }, false],
    ['shrinking', { shrinking: { rejoinAt: 0 } }, false],
  ])('%s: %s', (_, change, wanted) => {
    expect(wantsToServe(desiredState(change))).toBe(wanted);
  });
});

describe('serves', () => {
  it.each<[string, Observed, boolean]>([
    ['in service', serving, true],
    ['merging', observed({ status: ringStatus(MERGING) }), false],
    ['status not known', observed({ status: null }), false],
    ['an old chmpx', observed({ chmpx: { ...RUNS, generation: 'g0' } }), false],
    ['an old k2hdkc', observed({ k2hdkc: { ...RUNS, generation: 'g0' } }), false],
    ['no k2hdkc', observed({ k2hdkc: null }), false],
    ['nothing runs', nothingRuns(), false],
  ])('%s', (_, seen, expected) => {
    expect(serves(desiredState(), seen)).toBe(expected);
  });
});

it('isStopped only when neither program runs, nor starts once more to leave', () => {
  expect(isStopped(nothingRuns())).toBe(true);
  expect(isStopped(nothingRuns({ leave: LEAVES_AGAIN }))).toBe(false);
  expect(isStopped(observed({ chmpx: null }))).toBe(false);
  expect(isStopped(observed({ k2hdkc: null }))).toBe(false);
});
