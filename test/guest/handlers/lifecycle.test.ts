import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { asError } from '../../../src/base/errors.ts';
import { lifecycleHandlers } from '../../../src/guest/handlers/lifecycle.ts';
import type { HandlerParts } from '../../../src/guest/handlers/parts.ts';
import { Wishes } from '../../../src/guest/handlers/wishes.ts';
import type { Operation, Operations } from '../../../src/guest/operations.ts';
import { DesiredStateStore, type DesiredState } from '../../../src/node/desired-state.ts';
import type { Observed } from '../../../src/node/observed.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import type { GuestCall } from '../../../src/trove/dispatcher.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { until } from '../../helpers/until.ts';
import { desiredState, nothingRuns, observed, refused, RUNS } from '../../node/builders.ts';

const BOOT = 'this boot';
const NOW = 1_000_000;
const REJOIN_AFTER_MS = 5_000;
const FIRST_WITHIN_MS = 2_000;

/** A node as the handlers see it: what it should be is on disk, and a test says what is seen. */
class FakeNode {
  wishes: Partial<DesiredState>[] = [];
  readonly #desired: DesiredStateStore;
  #seen: Observed = observed();
  #waiting: (() => boolean)[] = [];

  constructor(desired: DesiredStateStore) {
    this.#desired = desired;
  }

  async wish(change: Partial<DesiredState>): Promise<void> {
    this.wishes.push(change);
    await this.#desired.update(change);
  }

  until(isSo: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      const probe = (): boolean => {
        const step = { kind: 'rest', why: 'as wished' } as const;
        const common = { desired: this.#desired.current, observed: this.#seen };
        const snapshot: Snapshot = { ...common, state: 'serving', step };
        try {
          if (!isSo(snapshot)) return false;
          resolve(snapshot);
        } catch (error) {
          reject(asError(error));
        }
        return true;
      };
      if (!probe()) this.#waiting.push(probe);
    });
  }

  /** Another look at the node: who waited for this goes on. */
  see(seen: Observed): void {
    this.#seen = seen;
    this.#waiting = this.#waiting.filter((probe) => !probe());
  }
}

/** The handlers of a node that should be this. */
async function bench(
  before: Partial<DesiredState> = desiredState(),
  { leaves = true }: { leaves?: boolean } = {},
) {
  const directory = await temporaryDirectory();
  const desired = await DesiredStateStore.open(directory);
  await desired.update(before);
  const node = new FakeNode(desired);
  const said: string[] = [];
  const say = (what: string) => (): Promise<void> => Promise.resolve(void said.push(what));
  const keys: string[] = [];
  const operations = {
    // At once: the journal, and that one waits for the other, are of Operations.
    perform: ({ key, work }: Operation<unknown>) => {
      keys.push(key);
      return work();
    },
  } as unknown as Operations;
  const parts = {
    desired: () => desired.current,
    operations,
    reconciler: node,
    markers: { prepareEnded: say('prepare ended') },
    prepare: {
      desired: () => desired.current,
      reconciler: node,
      clock: systemClock,
      log: silentLog,
      outbox: { postDurable: say('notified') },
      configuredVolume: { device: null, mountPoint: directory },
    },
    bootId: BOOT,
    leaveOnSecondClusterComplete: leaves,
    firstCompleteWithinMs: FIRST_WITHIN_MS,
    rejoinAfterMs: REJOIN_AFTER_MS,
    wallClock: () => NOW,
    log: silentLog,
  } as unknown as HandlerParts;
  const wishes = new Wishes({
    desired: parts.desired,
    operations,
    reconciler: parts.reconciler,
    node: { startAfresh: () => void said.push('afresh') },
    replyMarginMs: 0,
  });
  return {
    handlers: lifecycleHandlers(parts, wishes),
    node,
    said,
    keys,
    now: () => desired.current,
  };
}

/** A request of Trove with this id. */
const call = (id = 'c-1'): GuestCall => ({
  id,
  body: '{}',
  context: {},
  accepted: () => undefined,
});

/** Whether it has ended, when all that can happen has happened. */
async function isOpen(work: Promise<unknown>): Promise<boolean> {
  let open = true;
  work.then(
    () => (open = false),
    () => (open = false),
  );
  await setImmediate();
  return open;
}

describe.each(['cluster_complete', 'restart', 'start_db_with_conf_changes'] as const)(
  '%s',
  (method) => {
    it.each([
      ['before prepare is over', { phase: 'preparing' }, 'prepare is not over yet'],
      ['after it has failed', { phase: 'failed', failure: 'no room' }, 'prepare failed: no room'],
    ] as const)('is refused %s, and nothing is wished', async (_, before, why) => {
      const { handlers, node } = await bench(before);
      await expect(handlers[method]({} as never, call())).rejects.toThrow(
        `${method} is not possible on this instance: ${why}`,
      );
      expect(node.wishes).toEqual([]);
    });
  },
);

describe('cluster_complete', () => {
  const member = desiredState({ clustered: true, installing: true });
  const complete = desiredState({ clustered: true, installedBy: 'c-1' });

  it('ends the installation of a member', async () => {
    const { handlers, said, now } = await bench(member);
    await handlers.cluster_complete({}, call());
    expect(now()).toMatchObject({ installing: false, installedBy: 'c-1' });
    expect(said).toEqual(['prepare ended']);
  });

  const prepared = (ms: number) => ({ ...member, preparingSince: NOW - ms });

  it.each([
    ['as long as Trove may wait for the member', prepared(FIRST_WITHIN_MS), true],
    ['of a member that an older agent prepared', member, true],
    ['whatever its age, when agent.yaml says so', prepared(FIRST_WITHIN_MS + 1), false],
  ])('ends the installation %s', async (_, before, leaves) => {
    const { handlers, now } = await bench(before, { leaves });
    await handlers.cluster_complete({}, call());
    expect(now()).toMatchObject({ installing: false, shrinking: null });
  });

  it('that comes first and too late is a shrink', async () => {
    const { handlers, node, now } = await bench(prepared(FIRST_WITHIN_MS + 1));
    const left = handlers.cluster_complete({}, call());
    await until('it leaves', () => now().shrinking !== null);
    expect(await isOpen(left)).toBe(true);
    node.see(nothingRuns());
    await left;
  });

  it('that was not in the journal as done is not a second one', async () => {
    const { handlers, node } = await bench(complete);
    await handlers.cluster_complete({}, call());
    expect(node.wishes).toEqual([]);
  });

  it('a second time takes the node out of the ring for a while', async () => {
    const { handlers, node, now } = await bench(complete);
    const left = handlers.cluster_complete({}, call('c-2'));
    await until('it leaves', () => now().shrinking !== null);
    expect(now().shrinking).toEqual({ rejoinAt: NOW + REJOIN_AFTER_MS });
    expect(await isOpen(left)).toBe(true);
    node.see(nothingRuns());
    await left;
    expect(now().shrinking).not.toBeNull();
  });

  it('a second time is refused when the data cannot move, and the node stays', async () => {
    const { handlers, node, now } = await bench(complete);
    const left = handlers.cluster_complete({}, call('c-2'));
    await until('it leaves', () => now().shrinking !== null);
    node.see(observed({ leave: refused('it is stuck') }));
    await expect(left).rejects.toThrow('this node cannot leave the ring: it is stuck');
    expect(now().shrinking).toBeNull();
  });

  it.each([
    ['when agent.yaml says so', complete, false],
    ['of an instance that is of no cluster', desiredState(), true],
  ])('a second time means nothing %s', async (_, before, leaves) => {
    const { handlers, node } = await bench(before, { leaves });
    await handlers.cluster_complete({}, call('c-2'));
    expect(node.wishes).toEqual([]);
  });
});

describe('a start', () => {
  const down = desiredState({ stopped: { bootId: null }, shrinking: { rejoinAt: 1 } });
  const up = { stopped: null, shrinking: null };

  it('by restart is over when both programs of a new generation serve', async () => {
    const { handlers, node, now } = await bench(down);
    const restarted = handlers.restart({}, call('c-7'));
    await until('it is wished', () => now().generation === 'c-7');
    expect(now()).toMatchObject(up);
    expect(await isOpen(restarted)).toBe(true); // those that run are of another generation
    const anew = { ...RUNS, generation: 'c-7' };
    node.see(observed({ chmpx: anew, k2hdkc: RUNS }));
    expect(await isOpen(restarted)).toBe(true);
    node.see(observed({ chmpx: anew, k2hdkc: anew }));
    await restarted;
  });

  it('after a resize leaves a node alone that serves', async () => {
    const { handlers, now } = await bench(down);
    await handlers.start_db_with_conf_changes({} as never, call());
    expect(now()).toMatchObject({ ...up, generation: 'g1' });
  });

  it.each(['restart', 'start_db_with_conf_changes'] as const)(
    'by %s fails with the reason when the programs do not stay up',
    async (method) => {
      const { handlers, node } = await bench(down);
      node.see(nothingRuns({ crashLoops: true, crashReason: 'no room' }));
      await expect(handlers[method]({} as never, call())).rejects.toThrow(
        'the programs do not stay up: no room',
      );
    },
  );
});

describe('stop_db', () => {
  it.each([
    ['until the next boot', false, BOOT],
    ['over boots too', true, null],
  ])('stops %s', async (_, staysDown, bootId) => {
    const { handlers, node, now } = await bench();
    const stopped = handlers.stop_db({ do_not_start_on_reboot: staysDown }, call());
    await until('it is wished', () => now().stopped !== null);
    expect(now().stopped).toEqual({ bootId });
    node.see(observed({ k2hdkc: null }));
    expect(await isOpen(stopped)).toBe(true);
    node.see(nothingRuns());
    await stopped;
  });

  it('shares no call that asks for the other end', async () => {
    const { handlers, node, keys } = await bench();
    node.see(nothingRuns());
    for (const staysDown of [true, false]) {
      await handlers.stop_db({ do_not_start_on_reboot: staysDown }, call());
    }
    expect(new Set(keys).size).toBe(2);
  });

  it('of an instance whose prepare failed waits, and wishes nothing more', async () => {
    const { handlers, node } = await bench({ phase: 'failed', failure: 'no room' });
    const stopped = handlers.stop_db({ do_not_start_on_reboot: false }, call());
    await until('it is wished', () => node.wishes.length === 1);
    node.see(nothingRuns());
    await stopped;
    expect(node.wishes).toEqual([{}]);
  });

  it('gives up when a restart has taken its place', async () => {
    const { handlers, node, now } = await bench();
    const stopped = handlers.stop_db({ do_not_start_on_reboot: false }, call());
    await until('it is wished', () => now().stopped !== null);
    const restarted = handlers.restart({}, call('g1'));
    await until('the restart is wished', () => now().stopped === null);
    node.see(observed());
    await expect(stopped).rejects.toThrow('a later request has taken its place');
    await restarted;
  });
});

describe.each([
  ['prepare', 'this instance is prepared already'],
  ['rebuild', 'cluster-name'],
] as const)('%s', (method, words) => {
  it('ends the waiting of earlier requests, with a clean sheet', async () => {
    const { handlers, node, said, now } = await bench();
    const stopped = handlers.stop_db({ do_not_start_on_reboot: false }, call());
    await until('it is wished', () => now().stopped !== null);
    said.length = 0;
    const args = { config_overrides: { 'cluster-name': 'a b' } };
    await expect(handlers[method](args as never, call('p-1'))).rejects.toThrow(words);
    expect(said).toEqual(['afresh']);
    node.see(nothingRuns());
    await expect(stopped).rejects.toThrow('a later request has taken its place');
  });
});
