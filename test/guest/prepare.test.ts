import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DesiredStateStore, type DesiredState } from '../../src/node/desired-state.ts';
import { Markers } from '../../src/guest/markers.ts';
import { prepare, type PrepareParts } from '../../src/guest/prepare.ts';
import { statusOf } from '../../src/guest/report/status-of.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { observed, PARAMETERS, RUNS } from '../node/builders.ts';
import { Life } from './life.ts';

const ID = 'p-1';
const TIMEOUT_MS = 60_000;
const UP = observed({
  chmpx: { ...RUNS, generation: ID },
  k2hdkc: { ...RUNS, generation: ID },
});
const ARGS = {
  packages: [],
  databases: null,
  memory_mb: 512,
  users: null,
  device_path: null,
  mount_point: null,
  backup_info: null,
  config_contents: null,
  root_password: null,
  overrides: { 'cluster-name': PARAMETERS.clusterName, 'extdata-url': PARAMETERS.extdataUrl },
  cluster_config: null,
  snapshot: null,
  modules: null,
  ds_version: null,
};

/** What Trove gets to see of a VM, over all lives of its agent. */
interface Seen {
  statuses: string[];
  notifications: string[];
}

/** Lives one life of an agent that prepares its VM, whose node is up at once. */
async function live(
  directory: string,
  steps: number,
  args: typeof ARGS,
  seen: Seen,
  up = UP,
): Promise<'killed' | 'prepared' | 'failed'> {
  const life = new Life(steps);
  const desired = await DesiredStateStore.open(directory);
  const look = (): void => {
    const status = statusOf(desired.current, UP);
    if (status !== null && status !== seen.statuses.at(-1)) seen.statuses.push(status);
  };
  look();
  desired.onChange(look);
  const markers = new Markers(path.join(directory, 'markers'));
  const parts: PrepareParts = {
    instanceId: 'i-1',
    desired: () => desired.current,
    reconciler: {
      wish: (change: Partial<DesiredState>) => life.step(() => desired.update(change)),
      until: (done) => {
        const step = { kind: 'rest', why: 'serving' } as const;
        const state = 'serving' as const;
        const snapshot = { desired: desired.current, observed: up, state, step };
        if (!done(snapshot)) throw new Error('it is not up');
        return Promise.resolve(snapshot);
      },
    },
    outbox: {
      postDurable: (id) => life.step(() => Promise.resolve(void seen.notifications.push(id))),
    },
    markers: {
      prepareStarted: () => life.step(() => markers.prepareStarted()),
      prepareEnded: () => life.step(() => markers.prepareEnded()),
    },
    configuredVolume: { device: null, mountPoint: directory },
    volume: {
      setUp: (wanted, { mayFormat }) => {
        if (!mayFormat) throw new Error('prepare may format');
        return life.step(() => Promise.resolve({ ...wanted, uuid: 'the-uuid' }));
      },
    },
    restoreFirst: () => life.step(() => desired.update({ restoring: null })),
    timeoutMs: TIMEOUT_MS,
    clock: systemClock,
    log: silentLog,
  };
  const context = {
    auth_token: 't',
    project_id: 'p',
    trove_notification: { request_id: 'r' },
  };
  const outcome = prepare(parts, { id: ID, args, context }).then(
    () => 'prepared' as const,
    () => 'failed' as const,
  );
  return Promise.race([life.killed, outcome]);
}

it('gives an agent that takes it over only what is left of the time', async () => {
  const seen: Seen = { statuses: [], notifications: [] };
  const since = (ms: number): Partial<DesiredState> => ({
    phase: 'preparing',
    generation: ID,
    parameters: PARAMETERS,
    preparingSince: systemClock.wall() - ms,
  });
  const outcomeAfter = async (ms: number): Promise<string> => {
    const directory = await temporaryDirectory();
    await (await DesiredStateStore.open(directory)).update(since(ms));
    return live(directory, Infinity, ARGS, seen);
  };
  expect(await outcomeAfter(TIMEOUT_MS + 1)).toBe('failed');
  expect(await outcomeAfter(0)).toBe('prepared');
  expect(await outcomeAfter(-TIMEOUT_MS)).toBe('prepared'); // the clock was set back
});

it('fails with the reason when this VM has had no place in the network of the ring for a minute', async () => {
  const directory = await temporaryDirectory();
  const seen: Seen = { statuses: [], notifications: [] };
  const networkProblem = 'ens3, the port in the user network, is down';
  const after = (networkProblemMs: number) =>
    observed({ ...UP.seen, chmpx: null, networkProblem, networkProblemMs });
  expect(await live(directory, Infinity, ARGS, seen, after(60_001))).toBe('failed');
  const { failure } = (await DesiredStateStore.open(directory)).current;
  expect(failure).toBe(networkProblem);
  const early = await temporaryDirectory();
  expect(await live(early, Infinity, ARGS, seen, after(60_000))).toBe('failed');
  expect((await DesiredStateStore.open(early)).current.failure, 'it waits').toBe('it is not up');
});

it('fails at once when the extdata-url is that of another cluster', async () => {
  const directory = await temporaryDirectory();
  const seen: Seen = { statuses: [], notifications: [] };
  const misled = observed({ ...UP.seen, chmpx: null, otherCluster: 'of the cluster other' });
  expect(await live(directory, Infinity, ARGS, seen, misled)).toBe('failed');
  expect((await DesiredStateStore.open(directory)).current.failure).toBe('of the cluster other');
});

describe.each<[string, typeof ARGS, string[], string]>([
  ['a single instance', ARGS, ['building', 'healthy'], 'p-1-end'],
  [
    'a cluster member',
    { ...ARGS, cluster_config: { id: 'c', instance_type: 'member' } as never },
    ['building', 'instance ready', 'healthy'],
    'p-1-end',
  ],
  [
    'one with a backup',
    {
      ...ARGS,
      backup_info: {
        id: 'b-1',
        location: 'http://192.0.2.1/v1/AUTH_p/c/b-1.gz',
        checksum: 'a'.repeat(32),
      } as never,
    },
    ['building', 'healthy'],
    'p-1-end',
  ],
  [
    'one that cannot be',
    { ...ARGS, overrides: { 'cluster-name': 'a b' } as never },
    ['failed to spawn'],
    'p-1-failed',
  ],
])('prepare of %s', (_name, args, statuses, notification) => {
  const wanted = notification.endsWith('end') ? 'prepared' : 'failed';

  it('has one outcome', async () => {
    const seen: Seen = { statuses: [], notifications: [] };
    expect(await live(await temporaryDirectory(), Infinity, args, seen)).toBe(wanted);
    expect(seen).toEqual({ statuses, notifications: [notification] });
  });

  it('has the same one when the agent is killed before any of its steps', async () => {
    let steps = 0;
    for (let fate = 'killed'; fate === 'killed'; steps++) {
      const directory = await temporaryDirectory();
      const seen: Seen = { statuses: [], notifications: [] };
      fate = await live(directory, steps, args, seen);
      // What is not in the journal as done is continued, also when all of it was done.
      expect(await live(directory, Infinity, args, seen)).toBe(wanted);
      expect(seen.statuses).toEqual(statuses);
      expect(new Set(seen.notifications)).toEqual(new Set([notification]));
    }
    expect(steps).toBeGreaterThan(2);
  });
});
