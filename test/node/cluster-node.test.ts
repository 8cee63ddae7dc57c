import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClusterNode } from '../../src/node/cluster-node.ts';
import { DesiredStateStore, type DesiredState } from '../../src/node/desired-state.ts';
import { Membership } from '../../src/role/membership.ts';
import { Neighbours } from '../../src/ring/neighbours.ts';
import { OwnMerge } from '../../src/ring/change/own-merge.ts';
import { KeptProgram } from '../../src/node/programs/kept-program.ts';
import { RestartPolicy } from '../../src/node/programs/restart-policy.ts';
import { JoinRetry } from '../../src/ring/change/join-retry.ts';
import { RingChanges } from '../../src/ring/change/ring-changes.ts';
import { RoleWatch } from '../../src/role/role-watch.ts';
import { Backoff } from '../../src/base/backoff.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { ControlPorts } from '../../src/ring/control/control-ports.ts';
import type { RingStatus } from '../../src/ring/status.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { launcherIn } from '../process/programs.ts';
import { desiredState, IN, OUT, ringStatus } from './builders.ts';

const LIMITS = { stop: 10_000, restart: 10_000, good: 10_000 };
const LEAVING = '[SERVICE IN][UP][DELETE][Doing][NoSuspend]';

interface Bench {
  node: ClusterNode;
  /** What chmpxstatus says next; the last one again and again; null when it fails. */
  statuses: (string | null)[];
  chmpx: KeptProgram;
}

/** A node whose programs run and whose status a test writes. Time limits in milliseconds. */
async function bench(change: Partial<DesiredState>, limits = LIMITS) {
  const directory = await temporaryDirectory();
  const [clock, log, random] = [systemClock, silentLog, Math.random] as const;
  const desired = await DesiredStateStore.open(directory);
  await desired.update(desiredState(change));
  const restarts = new RestartPolicy({
    ...{ clock, random, log },
    backoff: { first: 0, cap: 1 },
    loopAfter: 5,
  });
  const keep = async (name: 'chmpx' | 'k2hdkc'): Promise<KeptProgram> => {
    const program = new KeptProgram({
      name,
      command: '/bin/sh',
      args: ['-c', `exec sleep 1000 # ${name}`],
      marks: [`exec sleep 1000 # ${name}`],
      stopSignals: [{ signal: 'SIGKILL', waitMs: 10_000 }],
      launcher: launcherIn(path.join(directory, 'programs')),
      clock,
      log,
      onCrash: () => undefined,
    });
    onTestFinished(() => program.stop());
    await program.start('g1');
    return program;
  };
  const statuses: Bench['statuses'] = [];
  const common = { clock, log, random };
  const chmpx = await keep('chmpx');
  const readStatus = (): Promise<RingStatus | null> => {
    const words = statuses.length > 1 ? statuses.shift() : statuses[0];
    return Promise.resolve(words == null ? null : ringStatus(words, IN));
  };
  const node = new ClusterNode({
    desired,
    volume: {
      look: () => Promise.resolve({ mounted: true, problem: null, retryInMs: 0 }),
      mount: () => Promise.resolve(),
    },
    chmpx,
    k2hdkc: await keep('k2hdkc'),
    restarts,
    membership: new Membership({
      ...common,
      desired,
      http: { clock, connectTimeoutMs: 1, totalTimeoutMs: 1 },
      cuk: () => Promise.resolve('cuk-1'),
      nodeName: 'node1',
      filesDirectory: directory,
      resolve: () => Promise.resolve([]),
      retry: { firstMs: 1, capMs: 1 },
      secrets: new Secrets(),
    }),
    role: new RoleWatch({
      ...common,
      stateDirectory: directory,
      desired: () => desired.current,
      read: () => Promise.reject(new Error('not in this test')),
      parse: () => ({
        ini: null,
        servers: [],
        cuks: new Set(),
        neighbours: [],
        dataDirectory: null,
        k2h: null,
      }),
      resolve: () => Promise.resolve([]),
      pace: { settledMs: 1, changingMs: 1, retryFirstMs: 1, retryCapMs: 1 },
      onChange: () => undefined,
    }),
    neighbours: new Neighbours({ ...common, askLimitMs: 1 }),
    unread: { unreadMs: 0 },
    ownMerge: new OwnMerge({
      cpuMs: { chmpx: () => 0, k2hdkc: () => 0 },
      hangAfter: { first: 1, cap: 1 },
      clock,
    }),
    split: { giveIn: null, gaveIn: () => ({ why: 'split', holdMs: 0 }) },
    random,
    iniFile: path.join(directory, 'k2hdkc.ini'),
    statusProblem: () => null,
    site: {
      prepareChmpx: () => Promise.resolve(undefined),
      prepareK2hdkc: () => Promise.resolve(undefined),
    },
    readStatus,
    changes: new RingChanges({
      ...common,
      mode: 'automatic',
      readStatus,
      ownHangs: () => false,
      control: new ControlPorts({ ownHost: '127.0.0.1', clock }),
      pollMs: 1,
      leaveLimits: limits,
      role: () => new Set(),
      retry: new JoinRetry(new Backoff({ first: 1, cap: 1 }, random), clock),
      stuckAfterMs: 1,
      changeWaitMs: 0,
      patience: { tailMs: 1, mergeMs: 1, tries: 1 },
    }),
    pollMs: 1,
    clock,
    log,
  });
  return { node, statuses, chmpx };
}

const never = new AbortController().signal;

describe('leaving the ring', () => {
  it('is over when this node is out of it', async () => {
    const { node, statuses } = await bench({ parameters: null });
    statuses.push(LEAVING, LEAVING, OUT);
    await node.act('leave-ring', never);
    expect(await node.observe()).toMatchObject({ leaveOver: true, leaveFailure: null });
  });

  it('is not over because the status could not be read once: the data has not moved', async () => {
    const { node, statuses } = await bench({ parameters: null });
    statuses.push(LEAVING, null, LEAVING, null, LEAVING, OUT);
    await node.act('leave-ring', never);
    expect(statuses).toEqual([OUT]);
    expect(await node.observe()).toMatchObject({ leaveOver: true, leaveFailure: null });
  });

  it('is still to be done when chmpx is gone: the data has not moved', async () => {
    const { node, statuses, chmpx } = await bench({ parameters: null });
    statuses.push(null);
    await chmpx.stop();
    await node.act('leave-ring', never);
    const seen = { leaveOver: false, leaveAgain: true, leaveFailure: null };
    expect(await node.observe()).toMatchObject(seen);
    node.startAfresh();
    expect(await node.observe()).toMatchObject({ leaveAgain: false });
  });

  it('is over for stop_db when chmpx is gone', async () => {
    const { node, statuses, chmpx } = await bench({ stopped: { bootId: null } });
    statuses.push(null);
    await chmpx.stop();
    await node.act('leave-ring', never);
    expect(await node.observe()).toMatchObject({ leaveOver: true, leaveAgain: false });
  });

  it('fails for good when the data does not move in time', async () => {
    const { node, statuses } = await bench({ parameters: null }, { ...LIMITS, good: 20 });
    statuses.push(LEAVING);
    await node.act('leave-ring', never);
    const leaveFailure = `still ${LEAVING} after 0.02 s`;
    expect(await node.observe()).toMatchObject({ leaveOver: true, leaveFailure });
    node.startAfresh();
    expect(await node.observe()).toMatchObject({ leaveOver: false, leaveFailure: null });
  });

  it('is given up in time by stop_db, which stops anyway', async () => {
    const stopped = { stopped: { bootId: null } };
    const { node, statuses } = await bench(stopped, { ...LIMITS, stop: 20 });
    statuses.push(null);
    await node.act('leave-ring', never);
    expect(await node.observe()).toMatchObject({ leaveOver: true, leaveFailure: null });
  });

  it('fails for a restart, which is not done then', async () => {
    const { node, statuses } = await bench({}, { ...LIMITS, restart: 20 });
    statuses.push(LEAVING);
    await node.act('leave-to-restart', never);
    const leaveFailure = `still ${LEAVING} after 0.02 s`;
    expect(await node.observe()).toMatchObject({ leaveOver: false, leaveFailure });
  });

  it('is given up when the wish changes', async () => {
    const { node, statuses } = await bench({ parameters: null });
    statuses.push(LEAVING);
    await node.act('leave-ring', AbortSignal.timeout(20));
    expect(await node.observe()).toMatchObject({ leaveOver: false, leaveFailure: null });
  });
});
