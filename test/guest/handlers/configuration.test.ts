import { describe, expect, it, onTestFinished } from 'vitest';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import { parametersKey } from '../../../src/role/registration.ts';
import { configurationHandlers } from '../../../src/guest/handlers/configuration.ts';
import { Wishes } from '../../../src/guest/handlers/wishes.ts';
import { Journal } from '../../../src/guest/journal.ts';
import type { Observed } from '../../../src/node/observed.ts';
import { Operations } from '../../../src/guest/operations.ts';
import type { Action } from '../../../src/node/plan/step.ts';
import { Reconciler, type Node } from '../../../src/node/reconciler.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { GuestCall } from '../../../src/trove/dispatcher.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { IDLE } from '../../../src/ring/change/leave.ts';
import {
  alter,
  desiredState,
  IN,
  LEFT,
  observed,
  OTHER_PARAMETERS,
  PARAMETERS,
  refused,
  registrationFor,
  ringStatus,
  TIMES,
  type Change,
} from '../../node/builders.ts';

const overridesOf = ({ clusterName, extdataUrl }: typeof PARAMETERS) => ({
  'cluster-name': clusterName,
  'extdata-url': extdataUrl,
});

/** A node in a ring of two that it can leave, or not; steps happen at once. */
class RingNode implements Node {
  readonly actions: string[] = [];
  readonly #desired: DesiredStateStore;
  readonly #canLeave: boolean;
  #seen: Observed = observed({ status: ringStatus(IN, IN) });

  constructor(desired: DesiredStateStore, canLeave: boolean) {
    this.#desired = desired;
    this.#canLeave = canLeave;
  }

  startAfresh(): void {
    this.#see({ leave: IDLE });
  }

  observe(): Promise<Observed> {
    return Promise.resolve(this.#seen);
  }

  async act(action: Action): Promise<void> {
    this.actions.push(action.do);
    const { chmpx, k2hdkc } = observed().seen;
    const { parameters } = this.#desired.current;
    if (action.do === 'leave-ring') {
      this.#see({ leave: this.#canLeave ? LEFT : refused('it is stuck') });
    } else if (action.do === 'stop-k2hdkc') this.#see({ k2hdkc: null });
    else if (action.do === 'stop-chmpx') this.#see({ chmpx: null, status: null });
    else if (action.do === 'start-chmpx') this.#see({ chmpx, status: ringStatus(IN) });
    else if (action.do === 'start-k2hdkc') this.#see({ k2hdkc });
    else if (action.do === 'unregister') await this.#desired.update({ registration: null });
    else if (action.do === 'register' && parameters !== null) {
      await this.#desired.update({ registration: registrationFor(parameters) });
    }
  }

  #see(change: Change): void {
    this.#seen = alter(this.#seen, change);
  }
}

/** update_overrides on a node that serves, of a ring that it can leave or not. */
async function serving({ canLeave }: { canLeave: boolean }) {
  const directory = await temporaryDirectory();
  const desired = await DesiredStateStore.open(directory);
  await desired.update(desiredState());
  const node = new RingNode(desired, canLeave);
  const reconciler = new Reconciler({
    desired,
    node,
    times: {
      ...TIMES,
      ringStableMs: 0,
      startSpacingMs: 0,
      changingMs: 5,
      settledMs: 10,
      watchMs: 10_000,
    },
    clock: systemClock,
    random: () => 0.5,
    log: silentLog,
    onLook: () => undefined,
  });
  const ending = new AbortController();
  const running = reconciler.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
  });
  const operations = new Operations({
    journal: await Journal.open(directory, 'a boot'),
    clock: systemClock,
    log: silentLog,
    progress: () => reconciler.progress(),
  });
  const common = { desired: () => desired.current, log: silentLog };
  const wishes = new Wishes({
    ...common,
    operations,
    reconciler,
    node,
    replyMarginMs: 2_000,
  });
  const handlers = configurationHandlers(common, wishes);
  const call: GuestCall = { id: 'r1', body: '{}', context: {}, accepted: () => undefined };
  return { desired, node, update: (args: UpdateArgs) => handlers.update_overrides(args, call) };
}

type UpdateArgs = { overrides: Record<string, unknown> | null; remove: boolean };

describe('another cluster', () => {
  const there = { overrides: overridesOf(OTHER_PARAMETERS), remove: false };

  it('is joined after the one before is left, and not earlier answered', async () => {
    const { desired, node, update } = await serving({ canLeave: true });
    await update(there);
    expect(node.actions).toEqual([
      'leave-ring',
      'stop-k2hdkc',
      'stop-chmpx',
      'unregister',
      'register',
      'start-chmpx',
      'start-k2hdkc',
    ]);
    expect(desired.current.registration?.parametersKey).toBe(parametersKey(OTHER_PARAMETERS));
  });

  it('is refused when the data cannot move: the node stays where it is', async () => {
    const { desired, node, update } = await serving({ canLeave: false });
    await expect(update(there)).rejects.toThrow('this node cannot leave the ring: it is stuck');
    expect(new Set(node.actions)).toEqual(new Set(['leave-ring'])); // perhaps tried once more
    expect(desired.current.parameters).toEqual(PARAMETERS);
  });
});

describe('no cluster', () => {
  const remove = { overrides: {}, remove: true };

  it('is a leave and an unregistration', async () => {
    const { desired, node, update } = await serving({ canLeave: true });
    await update(remove);
    expect(new Set(node.actions)).toEqual(
      new Set(['leave-ring', 'stop-k2hdkc', 'stop-chmpx', 'unregister']),
    );
    expect(desired.current).toMatchObject({ parameters: null, registration: null });
  });

  it('is refused when the data cannot move', async () => {
    const { desired, update } = await serving({ canLeave: false });
    await expect(update(remove)).rejects.toThrow('it is stuck');
    expect(desired.current.parameters).toEqual(PARAMETERS);
  });
});

describe('the same cluster', () => {
  it('with a new extdata-url changes nothing that runs', async () => {
    const { desired, node, update } = await serving({ canLeave: true });
    const extdataUrl = 'http://192.0.2.1/v1/extdata/new';
    const overrides = overridesOf({ ...PARAMETERS, extdataUrl });
    await update({ overrides, remove: false });
    expect(node.actions).toEqual([]);
    expect(desired.current.parameters).toMatchObject({ extdataUrl });
  });
});
