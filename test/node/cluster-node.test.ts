import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClusterNode } from '../../src/node/cluster-node.ts';
import { DesiredStateStore, type DesiredState } from '../../src/node/desired-state.ts';
import { Membership } from '../../src/role/membership.ts';
import { Neighbours } from '../../src/ring/neighbours.ts';
import { IDLE } from '../../src/ring/change/leave.ts';
import { KeptProgram } from '../../src/node/programs/kept-program.ts';
import { RestartPolicy } from '../../src/node/programs/restart-policy.ts';
import { JoinRetry } from '../../src/ring/change/join-retry.ts';
import { RingMembers } from '../../src/ring/ring-members.ts';
import { RingChanges } from '../../src/ring/change/ring-changes.ts';
import { RoleWatch } from '../../src/role/role-watch.ts';
import { Backoff } from '../../src/base/backoff.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { ControlPorts } from '../../src/ring/control/control-ports.ts';
import type { RingStatus } from '../../src/ring/status.ts';
import { sightOf } from '../ring/sight-of.ts';
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
    clock,
    random,
    log,
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
  const sight = sightOf(readStatus, clock);
  const node = new ClusterNode({
    desired,
    volume: {
      isMounted: () => Promise.resolve(true),
      problem: null,
      retryInMs: 0,
      mount: () => Promise.resolve(),
    },
    chmpx,
    k2hdkc: await keep('k2hdkc'),
    restarts,
    place: { view: { network: null, problem: null, problemMs: 0 }, look: () => Promise.resolve() },
    membership: new Membership({
      ...common,
      desired,
      http: { clock, connectTimeoutMs: 1, totalTimeoutMs: 1 },
      cuk: () => Promise.resolve('cuk-1'),
      nodeName: () => Promise.resolve('node1'),
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
        roleFile: null,
      }),
      loopback: false,
      whyOutside: () => Promise.resolve(null),
      resolve: () => Promise.resolve([]),
      pace: { settledMs: 1, changingMs: 1, retryFirstMs: 1, retryCapMs: 1 },
      onChange: () => undefined,
    }),
    neighbours: new Neighbours({ ...common, askLimitMs: 1, roleReadMs: () => 0 }),
    unread: { unreadMs: 0 },
    split: { giveIn: null, gaveIn: () => ({ why: 'split', holdMs: 0 }) },
    refusals: null,
    iniFile: path.join(directory, 'k2hdkc.ini'),
    site: {
      prepareChmpx: () => Promise.resolve(undefined),
      prepareK2hdkc: () => Promise.resolve(undefined),
    },
    sight,
    changes: new RingChanges({
      ...common,
      mode: 'automatic',
      sight,
      record: { keep: () => Promise.resolve() },
      unfinished: IDLE,
      control: new ControlPorts({ ownHost: '127.0.0.1', clock }),
      pollMs: 1,
      leaveLimits: limits,
      role: () => new Set(),
      retry: new JoinRetry(new Backoff({ first: 1, cap: 1 }, random), clock),
      stuckAfterMs: 1,
      changeWaitMs: 0,
      patience: { tailMs: 1, mergeMs: 1, tries: 1 },
    }),
    members: new RingMembers({ stateDirectory: directory, log }),
    pollMs: 1,
    clock,
    log,
  });
  return { node, statuses, chmpx, desired };
}

const GOOD = { do: 'leave-ring', kind: 'good', waitsFor: new Set<string>() } as const;
const STOP = { do: 'leave-ring', kind: 'stop', waitsFor: new Set<string>() } as const;
const never = new AbortController().signal;

describe('leaving the ring', () => {
  it('is over when this node is out of it', async () => {
    const { node, statuses } = await bench({ parameters: null });
    statuses.push(LEAVING, LEAVING, OUT);
    await node.act(GOOD, never);
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'left' } } });
  });

  it('is not over because the status could not be read once: the data has not moved', async () => {
    const { node, statuses } = await bench({ parameters: null });
    statuses.push(LEAVING, null, LEAVING, null, LEAVING, OUT);
    await node.act(GOOD, never);
    expect(statuses).toEqual([OUT]);
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'left' } } });
  });

  it('is still to be done when chmpx is gone: the data has not moved', async () => {
    const { node, statuses, chmpx, desired } = await bench({ parameters: null });
    statuses.push(null);
    await chmpx.stop();
    await node.act(GOOD, never);
    const again = { memory: { leave: { is: 'restarting', kind: 'good' } } };
    expect(await node.observe()).toMatchObject(again);
    node.startAfresh(); // the same wish, said again
    expect(await node.observe()).toMatchObject(again);
    await desired.update({ parameters: desiredState().parameters });
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'idle' } } });
  });

  it('is over for stop_db when chmpx is gone', async () => {
    const { node, statuses, chmpx } = await bench({ stopped: { bootId: null } });
    statuses.push(null);
    await chmpx.stop();
    await node.act(STOP, never);
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'left', moved: false } } });
  });

  it('fails for good when the data does not move in time', async () => {
    const { node, statuses } = await bench({ parameters: null }, { ...LIMITS, good: 20 });
    statuses.push(LEAVING);
    await node.act(GOOD, never);
    const why = `still ${LEAVING} after 0.02 s`;
    expect(await node.observe()).toMatchObject({
      memory: { leave: { is: 'refused', kind: 'good', why } },
    });
    node.startAfresh();
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'idle' } } });
  });

  it('is given up in time by stop_db, which stops anyway', async () => {
    const stopped = { stopped: { bootId: null } };
    const { node, statuses } = await bench(stopped, { ...LIMITS, stop: 20 });
    statuses.push(null);
    await node.act(STOP, never);
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'left' } } });
  });

  it('fails for a restart, which is not done then', async () => {
    const { node, statuses } = await bench({}, { ...LIMITS, restart: 20 });
    statuses.push(LEAVING);
    await node.act({ do: 'leave-ring', kind: 'restart', waitsFor: new Set<string>() }, never);
    const why = `still ${LEAVING} after 0.02 s`;
    expect(await node.observe()).toMatchObject({
      memory: { leave: { is: 'refused', kind: 'restart', why } },
    });
  });

  it('goes on after an interruption, until the wish changes', async () => {
    const { node, statuses, desired } = await bench({ parameters: null });
    statuses.push(LEAVING);
    await node.act(GOOD, AbortSignal.timeout(20));
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'leaving' } } });
    await desired.update({ parameters: desiredState().parameters });
    expect(await node.observe()).toMatchObject({ memory: { leave: { is: 'idle' } } });
  });
});
