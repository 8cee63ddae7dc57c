import { describe, expect, it, onTestFinished } from 'vitest';
import { DesiredStateStore, type DesiredState } from '../../src/node/desired-state.ts';
import type { Observed } from '../../src/node/observed.ts';
import { Interrupted } from '../../src/node/interrupted.ts';
import type { Action } from '../../src/node/plan/step.ts';
import { Reconciler, type Node } from '../../src/node/reconciler.ts';
import { deferred } from '../helpers/deferred.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { desiredState, nothingRuns, observed, ROLE, TIMES } from './builders.ts';

/** A node whose looks and steps a test writes. */
class ScriptedNode implements Node {
  seen: Observed = observed();
  readonly actions: Action[] = [];
  looks = 0;
  /** Runs instead of returning `seen` at once. */
  onObserve: () => Promise<void> = () => Promise.resolve();
  onAct: (action: Action, signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  async observe(): Promise<Observed> {
    this.looks++;
    await this.onObserve();
    return this.seen;
  }

  act(action: Action, signal: AbortSignal): Promise<void> {
    this.actions.push(action);
    return this.onAct(action, signal);
  }
}

interface Bench {
  node: ScriptedNode;
  clock: WatchedClock;
  desired: DesiredStateStore;
  reconciler: Reconciler;
  stop: () => Promise<void>;
}

async function reconcile(seen: Observed, change: Partial<DesiredState> = {}): Promise<Bench> {
  const desired = await DesiredStateStore.open(await temporaryDirectory());
  await desired.update(desiredState(change));
  const node = new ScriptedNode();
  node.seen = seen;
  const clock = new WatchedClock();
  const reconciler = new Reconciler({
    desired,
    node,
    times: {
      ...TIMES,
      startSpacingMs: 0,
      changingMs: 150,
      settledMs: 10_000,
      watchMs: 10_000,
    },
    clock,
    random: () => 0.5,
    log: silentLog,
    onLook: () => undefined,
  });
  const ending = new AbortController();
  const running = reconciler.run(ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  onTestFinished(stop);
  return { node, clock, desired, reconciler, stop };
}

it('says for how long it has been at what it waits for', async () => {
  const waits = nothingRuns({ k2hr3RetryInMs: 700_000, k2hr3Problem: 'connection refused' });
  const { clock, reconciler } = await reconcile(waits, { registration: null });
  await clock.untilWaiting();
  await clock.advance(84_000);
  expect(reconciler.progress()).toBe(
    'registering in K2HR3 (connection refused); registering for 84 s',
  );
});

describe('the pace of the looks', () => {
  it('is fast for a while after a change, then slow', async () => {
    const { node, clock } = await reconcile(observed());
    await clock.advance(9_900);
    const looks = node.looks;
    expect(looks).toBe(1 + 66);
    await clock.advance(10_000);
    expect(node.looks).toBeLessThanOrEqual(looks + 2);
  });

  it('is fastest while a step has just begun to take effect', async () => {
    const { node, clock } = await reconcile(nothingRuns({ role: unread }));
    await clock.advance(1_990);
    expect(node.looks).toBe(1 + 39);
    await clock.advance(150 + 10);
    const looks = node.looks;
    await clock.advance(1_500);
    expect(node.looks).toBe(looks + 10);
  });

  it('wakes for a wish and for a change at once', async () => {
    const { node, clock, reconciler } = await reconcile(observed());
    await clock.advance(15_000);
    const looks = node.looks;
    reconciler.wake();
    await clock.advance(0);
    expect(node.looks).toBe(looks + 1);
  });

  it('backs off from a step that fails', async () => {
    const { node, clock } = await reconcile(nothingRuns());
    node.onAct = () => Promise.reject(new Error('cannot start'));
    await clock.advance(0);
    const first = node.actions.length;
    await clock.advance(200 + 400 + 800);
    expect(node.actions.length - first).toBe(3);
  });
});

describe('a wish', () => {
  it('interrupts the step under way', async () => {
    const { node, clock, reconciler } = await reconcile(nothingRuns({ role: unread }), {
      registration: null,
    });
    let aborted = false;
    node.onAct = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      });
    await clock.advance(0);
    expect(node.actions).toEqual([{ do: 'register' }]);
    await reconciler.wish({ stopped: { bootId: null } });
    await clock.advance(0);
    expect(aborted).toBe(true);
    expect(reconciler.snapshot?.step).toEqual({ kind: 'rest', why: 'stopped' });
  });

  it('that comes during a look is not followed by a step of before', async () => {
    const { node, clock, reconciler } = await reconcile(observed());
    await clock.advance(0);
    const look = deferred();
    node.onObserve = () => look.promise;
    node.seen = nothingRuns();
    reconciler.wake();
    await clock.advance(0);
    await reconciler.wish({ stopped: { bootId: null } });
    node.onObserve = () => Promise.resolve();
    look.resolve();
    await clock.advance(0);
    expect(node.actions).toEqual([]);
    expect(reconciler.snapshot?.step).toEqual({ kind: 'rest', why: 'stopped' });
  });
});

describe('until', () => {
  it('does not believe a snapshot of an older wish', async () => {
    const { node, clock, reconciler } = await reconcile(observed());
    await clock.advance(0);
    const look = deferred();
    node.onObserve = () => look.promise;
    await reconciler.wish({ stopped: { bootId: null } });
    let seen = false;
    const waiting = reconciler.until(() => (seen = true));
    await clock.advance(1_000);
    expect(seen).toBe(false);
    look.resolve();
    await waiting;
    expect(reconciler.snapshot?.desired.stopped).not.toBeNull();
  });

  it('ends with what its question throws', async () => {
    const { reconciler } = await reconcile(observed());
    await expect(
      reconciler.until(() => {
        throw new Error('will never be');
      }),
    ).rejects.toThrow('will never be');
  });

  it('is interrupted when the agent stops, however late it is asked', async () => {
    const { reconciler, stop } = await reconcile(observed());
    const waiting = expect(reconciler.until(() => false)).rejects.toBeInstanceOf(Interrupted);
    await stop();
    await waiting;
    await expect(reconciler.until(() => true)).rejects.toBeInstanceOf(Interrupted);
  });
});

describe('the end', () => {
  it('aborts the step under way', async () => {
    const { node, stop } = await reconcile(nothingRuns());
    node.onAct = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    await until('a step', () => node.actions.length > 0);
    await stop();
  });

  it('begins no step when it comes during a look', async () => {
    const { node, clock, reconciler, stop } = await reconcile(observed());
    await clock.advance(0);
    const look = deferred();
    node.onObserve = () => look.promise;
    node.onAct = () => new Promise(() => undefined);
    node.seen = nothingRuns();
    reconciler.wake();
    await clock.advance(0);
    const stopping = stop();
    look.resolve();
    await stopping;
    expect(node.actions).toEqual([]);
  });
});

const unread = { ...ROLE, ini: null, ringStableMs: 0 };
