import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import type { Observed } from '../../../src/node/observed.ts';
import { statusOf } from '../../../src/guest/report/status-of.ts';
import type { ServiceStatus } from '../../../src/trove/statuses.ts';
import {
  desiredState,
  IN,
  JOINING,
  MERGING,
  nothingRuns,
  observed,
  OUT,
  ringStatus,
} from '../../node/builders.ts';

type Row = [string, Partial<DesiredState>, Observed, ServiceStatus | null];

const suspended = '[SERVICE IN][UP][n/a][Nothing][Suspend]';
const crashed = nothingRuns({ crashes: 5, crashLoops: true });
const stopped = { stopped: { bootId: 'boot' } };
const shrinking = { shrinking: { rejoinAt: 2_000_000 } };

describe('the status that Trove sees', () => {
  it.each<Row>([
    ['before prepare', { phase: 'new' }, nothingRuns(), null],
    ['before prepare, whatever runs', { phase: 'new' }, observed(), null],
    ['preparing', { phase: 'preparing' }, nothingRuns(), 'building'],
    ['preparing, in service already', { phase: 'preparing' }, observed(), 'building'],
    ['preparing, in a crash loop', { phase: 'preparing' }, crashed, 'building'],
    ['preparing, stopped', { phase: 'preparing', ...stopped }, nothingRuns(), 'building'],
    ['a member that has finished', { phase: 'ready' }, observed(), 'instance ready'],
    ['prepare failed', { phase: 'failed' }, nothingRuns(), 'failed to spawn'],
    [
      'prepare failed, then stopped',
      { phase: 'failed', ...stopped },
      nothingRuns(),
      'failed to spawn',
    ],
    ['in service', {}, observed(), 'healthy'],
    ['in service, the installation is not over', { installing: true }, observed(), 'healthy'],
    ['joining', {}, observed({ status: ringStatus(JOINING) }), 'running'],
    ['merging', {}, observed({ status: ringStatus(MERGING) }), 'running'],
    ['suspended', {}, observed({ status: ringStatus(suspended) }), 'running'],
    ['in SERVICE OUT', {}, observed({ status: ringStatus(OUT, IN) }), 'running'],
    ['not known', {}, observed({ status: null }), 'running'],
    ['in service by the programs before a restart', { generation: 'g2' }, observed(), 'running'],
    ['detached', { parameters: null, registration: null }, nothingRuns(), 'running'],
    ['being detached', { parameters: null }, observed(), 'running'],
    ['stopped on purpose', stopped, nothingRuns(), 'shutdown'],
    ['stopped on purpose, still stopping', stopped, observed({ k2hdkc: null }), 'running'],
    ['stopped on purpose after a crash loop', stopped, crashed, 'shutdown'],
    ['stopped and detached', { ...stopped, parameters: null }, nothingRuns(), 'shutdown'],
    ['crashed a few times', {}, nothingRuns({ crashes: 4 }), 'running'],
    ['in a crash loop', {}, crashed, 'crashed'],
    ['in service again after it', {}, observed({ crashes: 5, crashLoops: true }), 'healthy'],
    ['shrinking, in service', shrinking, observed(), 'healthy'],
    ['shrinking, stopped already', shrinking, nothingRuns(), 'healthy'],
  ])('%s', (_, change, seen, status) => {
    expect(statusOf(desiredState(change), seen)).toBe(status);
  });

  it('is never shutdown or crashed before prepare is over', () => {
    const phases = ['new', 'preparing', 'ready', 'failed'] as const;
    const changes = [{}, stopped, shrinking, { parameters: null }];
    for (const phase of phases) {
      for (const change of changes) {
        for (const seen of [observed(), nothingRuns(), crashed]) {
          const status = statusOf(desiredState({ phase, ...change }), seen);
          expect(['shutdown', 'crashed']).not.toContain(status);
        }
      }
    }
  });
});
