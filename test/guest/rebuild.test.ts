import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import type { PrepareParts } from '../../src/guest/prepare.ts';
import { rebuild } from '../../src/guest/rebuild.ts';
import { statusOf } from '../../src/guest/report/status-of.ts';
import { DesiredStateStore, NEW_NODE, type DesiredState } from '../../src/node/desired-state.ts';
import { Interrupted } from '../../src/node/interrupted.ts';
import type { Snapshot } from '../../src/node/reconciler.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import {
  desiredState,
  nothingRuns,
  observed,
  PARAMETERS,
  registrationFor,
  RUNS,
} from '../node/builders.ts';
import { Life } from './life.ts';

// No test may need a block device.
vi.mock('../../src/host/mount-volume.ts', async (original) => ({
  ...(await original()),
  isBlockDevice: (file: string) => Promise.resolve(file === '/dev/vdb'),
}));

const ID = 'r-1';
const GROUP = { 'cluster-name': PARAMETERS.clusterName, 'extdata-url': PARAMETERS.extdataUrl };
const UP = observed({
  chmpx: { ...RUNS, generation: ID },
  k2hdkc: { ...RUNS, generation: ID },
});

/** What a test says about a rebuild. */
interface Rebuild {
  /** What this VM is before it; by default what a new image leaves of it, which is nothing. */
  before?: Partial<DesiredState>;
  group?: Record<string, unknown> | null;
  device?: string | null;
  /** How the node is while it is waited for. */
  node?: Partial<Snapshot>;
  /** What the node's wait ends with. */
  ends?: Error;
}

/** What is seen of a VM from outside, over all lives of its agent. */
interface Seen {
  statuses: string[];
  notifications: string[];
  /** What the volume was set up with, and the markers that were written. */
  acts: string[];
}

const unseen = (): Seen => ({ statuses: [], notifications: [], acts: [] });

/** Lives one life of an agent that rebuilds its node, which is up at once. */
async function live(
  directory: string,
  { group = GROUP, device = null, node, ends }: Rebuild,
  seen: Seen,
  steps = Infinity,
): Promise<{ outcome: string; now: DesiredState }> {
  const life = new Life(steps);
  const desired = await DesiredStateStore.open(directory);
  const look = (): void => {
    const status = statusOf(desired.current, node?.observed ?? UP);
    if (status !== null && status !== seen.statuses.at(-1)) seen.statuses.push(status);
  };
  desired.onChange(look);
  const act = (what: string) => life.step(() => Promise.resolve(void seen.acts.push(what)));
  const parts: PrepareParts = {
    instanceId: 'i-1',
    desired: () => desired.current,
    reconciler: {
      wish: (change: Partial<DesiredState>) => life.step(() => desired.update(change)),
      until: (done) => {
        if (ends) return Promise.reject(ends);
        const step = { kind: 'rest', why: 'serving' } as const;
        const common = { desired: desired.current, observed: UP, state: 'serving' as const };
        const snapshot: Snapshot = { ...common, step, ...node };
        if (!done(snapshot)) throw new Error('it is not up');
        return Promise.resolve(snapshot);
      },
    },
    outbox: {
      postDurable: (id) => life.step(() => Promise.resolve(void seen.notifications.push(id))),
    },
    markers: { prepareStarted: () => act('started'), prepareEnded: () => act('ended') },
    configuredVolume: { device, mountPoint: '/data' },
    volume: {
      setUp: async (volume, { mayFormat }) => {
        await act(`mount ${volume.device} at ${volume.mountPoint}${mayFormat ? ', format' : ''}`);
        return { ...volume, uuid: 'the-uuid' };
      },
    },
    restoreFirst: () => Promise.reject(new Error('a rebuild restores nothing')),
    timeoutMs: 60_000,
    clock: systemClock,
    log: silentLog,
  };
  const args = { ds_version: null, config_contents: null, config_overrides: group };
  const context = { trove_notification: { request_id: 'r' } };
  const request = { id: ID, args: args as never, context };
  const outcome = await Promise.race([
    life.killed,
    rebuild(parts, request).then(
      () => 'rebuilt',
      (error: unknown) => messageOf(error),
    ),
  ]);
  return { outcome, now: desired.current };
}

/** A whole rebuild. */
async function rebuilt(how: Rebuild) {
  const directory = await temporaryDirectory();
  await (await DesiredStateStore.open(directory)).update(how.before ?? {});
  const seen = unseen();
  return { ...(await live(directory, how, seen)), ...seen };
}

describe('a rebuild of a VM whose state is gone', () => {
  it('ends healthy, and tells Trove nothing that it did not ask for', async () => {
    const { outcome, now, ...seen } = await rebuilt({});
    expect(outcome).toBe('rebuilt');
    expect(seen).toEqual({
      statuses: ['building', 'healthy'],
      notifications: [],
      acts: ['started', 'ended'],
    });
    expect(now).toMatchObject({ phase: 'prepared', parameters: PARAMETERS, generation: ID });
  });

  it('takes it for a member of a cluster that is complete: Trove does not say', async () => {
    const { now } = await rebuilt({});
    expect(now).toMatchObject({ clustered: true, installing: false });
  });

  it('without a configuration group is over when the node rests', async () => {
    const rests = { observed: nothingRuns() };
    const done = await rebuilt({ group: null, node: rests });
    expect([done.outcome, done.now.parameters]).toEqual(['rebuilt', null]);
    const step = { kind: 'wait', why: 'leaving' } as const;
    const other = await rebuilt({ group: null, node: { ...rests, step } });
    expect(other.outcome).toBe('it is not up');
  });

  it('mounts the volume of the data, and never formats it', async () => {
    const { acts, now } = await rebuilt({ device: '/dev/vdb' });
    expect(acts).toEqual(['mount /dev/vdb at /data', 'started', 'ended']);
    expect(now.volume).toEqual({ device: '/dev/vdb', mountPoint: '/data', uuid: 'the-uuid' });
  });

  it('has no volume when the configured device is not there', async () => {
    const { acts, now } = await rebuilt({ device: '/dev/vdc' });
    expect([acts, now.volume]).toEqual([['started', 'ended'], null]);
  });
});

describe('a rebuild of a VM whose state is there', () => {
  it('keeps what was registered, and whether it is of a cluster; all else begins again', async () => {
    const registration = registrationFor(PARAMETERS);
    const before = { ...desiredState({ stopped: { bootId: null } }), registration };
    const { now } = await rebuilt({ before });
    expect(now).toMatchObject({ registration, clustered: false, stopped: null, generation: ID });
    const member = await rebuilt({ before: { ...before, clustered: true } });
    expect(member.now.clustered).toBe(true);
  });

  it('changes nothing when the request makes no sense', async () => {
    const before = desiredState();
    const { outcome, now, ...seen } = await rebuilt({ before, group: { 'cluster-name': 'a b' } });
    expect(outcome).toContain('cluster-name');
    expect(now).toEqual({ ...NEW_NODE, ...before });
    expect(seen).toEqual(unseen());
  });
});

describe('a rebuild that fails', () => {
  it('says why in its status and to the user', async () => {
    const { outcome, now, statuses, notifications } = await rebuilt({
      group: { 'cluster-name': 'a b' },
    });
    expect(now).toMatchObject({ phase: 'failed', failure: outcome });
    expect(statuses.at(-1)).toBe('failed to spawn');
    expect(notifications).toEqual([`${ID}-failed`]);
  });

  it('because its programs do not stay up says so', async () => {
    const node = { observed: nothingRuns({ crashLoops: true, crashReason: 'no room' }) };
    const { outcome, now } = await rebuilt({ node });
    expect(outcome).toBe('the programs do not stay up: no room');
    expect(now.phase).toBe('failed');
  });

  it('has not failed when it is only interrupted: the next agent goes on', async () => {
    const { now, notifications } = await rebuilt({ ends: new Interrupted() });
    expect([now.phase, notifications]).toEqual(['preparing', []]);
  });

  it('is not tried again by the next agent, which says the same', async () => {
    const before = { phase: 'failed', failure: 'no room', generation: ID } as const;
    const { outcome, notifications, acts } = await rebuilt({ before });
    expect([outcome, notifications, acts]).toEqual(['no room', [`${ID}-failed`], []]);
  });
});

it.each<[string, Rebuild, string, string]>([
  ['rebuilt', { device: '/dev/vdb' }, 'healthy', 'rebuilt'],
  ['refused', { group: { 'cluster-name': 'a b' } }, 'failed to spawn', 'cluster-name'],
])('one that is %s has the same end when the agent is killed before any step', async (...row) => {
  const [, how, status, words] = row;
  let steps = 0;
  for (let fate = 'killed'; fate === 'killed'; steps++) {
    const directory = await temporaryDirectory();
    const seen = unseen();
    fate = (await live(directory, how, seen, steps)).outcome;
    const { outcome } = await live(directory, how, seen);
    expect(outcome).toContain(words);
    expect(seen.statuses.at(-1)).toBe(status);
  }
  expect(steps).toBeGreaterThan(2);
});
