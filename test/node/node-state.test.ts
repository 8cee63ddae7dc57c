import { expect, it } from 'vitest';
import type { DesiredState } from '../../src/node/desired-state.ts';
import { nodeState, type NodeState } from '../../src/node/node-state.ts';
import type { Observed } from '../../src/node/observed.ts';
import {
  ALONE,
  desiredState,
  JOINING,
  LEAVES_AGAIN,
  MERGING,
  nothingRuns,
  observed,
  OUT,
  ringStatus,
  ROLE,
} from './builders.ts';

const IN_ALONE = '[SERVICE IN][UP][n/a][Nothing][Suspend]';
const SLAVE = '[SLAVE][UP][n/a][Nothing][NoSuspend]';
const LEAVING = '[SERVICE IN][UP][DELETE][Pending][NoSuspend]';
const shrinking = { shrinking: { rejoinAt: 2_000_000 } };

it.each<[NodeState, string, Partial<DesiredState>, Observed]>([
  ['detached', 'before prepare', { phase: 'new', parameters: null }, nothingRuns()],
  ['detached', 'without a configuration group', { parameters: null }, nothingRuns()],
  ['detached', 'left for a shrink', shrinking, nothingRuns()],
  ['registering', 'K2HR3 does not know it', { registration: null }, nothingRuns()],
  ['registering', 'no role yet', {}, nothingRuns({ role: { ...ROLE, ini: null } })],
  ['starting', 'nothing runs', {}, nothingRuns()],
  ['starting', 'chmpx says nothing', {}, observed({ status: null })],
  ['starting', 'chmpx waits for k2hdkc', {}, observed({ status: ringStatus(ALONE) })],
  ['joining', 'out of the ring', {}, observed({ status: ringStatus(OUT) })],
  ['joining', 'added', {}, observed({ status: ringStatus(JOINING) })],
  ['merging', 'for another', {}, observed({ status: ringStatus(MERGING) })],
  ['serving', 'in', {}, observed()],
  ['serving', 'in after many crashes', {}, observed({ crashes: 5, crashLoops: true })],
  ['serving', 'a slave', { mode: 'slave' }, observed({ k2hdkc: null, status: ringStatus(SLAVE) })],
  [
    'joining',
    'a slave that was not let in yet',
    { mode: 'slave' },
    observed({ k2hdkc: null, status: ringStatus(SLAVE), isLetIn: false }),
  ],
  ['suspended', 'k2hdkc is gone', {}, observed({ status: ringStatus(IN_ALONE) })],
  ['leaving', 'taken out', {}, observed({ status: ringStatus(LEAVING) })],
  ['leaving', 'to stop', { stopped: { bootId: null } }, observed()],
  ['leaving', 'to restart', { generation: 'g2' }, observed()],
  ['leaving', 'starts again to leave', shrinking, nothingRuns({ leave: LEAVES_AGAIN })],
  ['leaving', 'to be detached', { parameters: null }, observed()],
  ['stopped', 'stopped', { stopped: { bootId: null } }, nothingRuns()],
  ['failed', 'prepare failed', { phase: 'failed' }, nothingRuns()],
  ['failed', 'crash loop', {}, nothingRuns({ crashes: 5, crashLoops: true })],
])('%s: %s', (state, _, change, seen) => {
  expect(nodeState(desiredState(change), seen)).toBe(state);
});
