import type { Clock } from '../../../src/base/clock.ts';
import type { HazardChances } from './hazards.ts';
import { lookForAnswer } from './lost-answer.ts';
import type { Others } from './others.ts';
import type { Order } from './protocol.ts';
import { aborted, completed, isOperating, unreachable, type Status } from './status.ts';

/** How the node is set up. */
export interface RingNodeOptions {
  clock: Clock;
  /** AUTOMERGE of the ini. */
  autoMerge: boolean;
  others: Others;
  /** Whether bad luck strikes this node (README.md). */
  strikes: (hazard: keyof HazardChances) => boolean;
  /** How long a merge with others takes at least, in milliseconds. */
  mergeTime: number;
  /** Called after every change of the status. */
  changed: () => void;
}

/** How a node got a k2hdkc: as it should, or one that has lost its chmpx and makes it stick. */
export type Rejoin = 'fresh' | 'stuck out' | 'stuck doing';

/** One phase of a merge of nothing, in milliseconds. */
export const MERGE_PHASE = 25;
/** What a merge takes longer for each key that comes (measured: 0.4 s for 1000). */
const MERGE_KEY = 0.4;
/** What keeps who merges by itself at Done. */
const UNFINISHED = {
  ADD: 'unfinished',
  DELETE: 'unfinishedLeave',
  'n/a': 'unfinishedReturn',
} as const;
/** RWTIMEOUT × RETRYCNT of the usual ini: how long anything that goes wrong here takes. */
export const STALL = 5000;

/**
 * The status of a server and what changes it (docs/contracts/chmpx.md, 2 and 7;
 * docs/contracts/ring.md, 1 and 7).
 *
 *     SERVICE OUT n/a Nothing ──first join, AUTOMERGE, or SERVICEIN──▶ SERVICE IN ADD Pending
 *     SERVICE IN n/a Nothing ──SERVICEOUT──▶ SERVICE IN DELETE Pending
 *     SERVICE IN n/a Nothing ──k2hdkc attaches again──▶ SERVICE IN n/a Pending
 *     SERVICE IN DELETE Pending ──SERVICEIN──▶ SERVICE IN n/a Pending
 *     Pending ──MERGE──▶ Doing ──all keys are here──▶ Done ──COMPMERGE──▶ n/a Nothing, in or out
 *     Doing, Done ──ABORTMERGE──▶ Pending
 *
 * With AUTOMERGE a node gives MERGE and COMPMERGE itself. Suspend is beside all this: it is on
 * while no k2hdkc is attached.
 */
export class RingNode {
  readonly #options: RingNodeOptions;
  #autoMerge: boolean;
  #suspendMerge = false;
  /** Goes into service by itself, once in a life. */
  #startupServiceIn = true;
  #status: Status = { ...unreachable, live: 'UP', suspended: true };
  #joinAllowedAt = 0;
  #busyUntil = 0;
  /** The next merge stays Doing. */
  #hangs = false;
  /** What waits for the others. */
  readonly #waiting: { ready: () => boolean; go: () => void }[] = [];

  constructor(options: RingNodeOptions) {
    this.#options = options;
    this.#autoMerge = options.autoMerge;
  }

  get status(): Readonly<Status> {
    return this.#status;
  }

  /** For so long (ms) it looks for an answer, and does not end when it is asked to. */
  get busyMs(): number {
    return Math.max(0, this.#busyUntil - this.#options.clock.monotonic());
  }

  get others(): Others {
    return this.#options.others;
  }

  /** AUTOMERGE of a reloaded ini; a reload also forgets SUSPENDMERGE. */
  set autoMerge(value: boolean) {
    this.#autoMerge = value;
    this.#suspendMerge = false;
  }

  /** Whether merges are started and completed without a command. */
  get automatic(): boolean {
    return this.#autoMerge && !this.#suspendMerge;
  }

  get mergeSuspended(): boolean {
    return this.#suspendMerge;
  }

  /** Whether the node has not yet taken its first step into service. */
  get starting(): boolean {
    return this.#startupServiceIn && this.#autoMerge && this.#status.live === 'UP';
  }

  /** A request on the control port during the start: nothing joins while its stall lasts. */
  disturb(): void {
    this.#joinAllowedAt = this.#options.clock.monotonic() + STALL;
  }

  /** The others have kept this node's place in service while its chmpx was gone. */
  remember({ action }: Status): void {
    this.#startupServiceIn = false;
    const operation = action === 'DELETE' ? 'Pending' : 'Nothing';
    this.change({ ring: 'SERVICE IN', action, operation });
  }

  /** Never gets anywhere: another server did not have this one in its ini when it started. */
  strand(): void {
    this.#startupServiceIn = false;
    this.change({ live: 'DOWN', suspended: false });
  }

  /** A k2hdkc has attached. */
  join(rejoin: Rejoin): void {
    if (this.#status.live === 'DOWN') return;
    this.change({ suspended: false });
    if (this.#status.ring === 'SERVICE IN') {
      if (this.#status.action === 'n/a') this.change({ operation: 'Pending' });
      if (this.automatic) this.merge(this.#status.action === 'DELETE' ? STALL : MERGE_PHASE);
      return;
    }
    if (rejoin !== 'fresh') this.#hangs = !this.others.alone;
    if (rejoin === 'stuck out') this.#startupServiceIn = false;
    else if (this.starting) this.#joinWhenUndisturbed();
  }

  /** The last k2hdkc has gone. */
  leave(): void {
    if (this.#status.live === 'DOWN') return;
    const operation = isOperating(this.#status) ? 'Pending' : this.#status.operation;
    this.change({ suspended: true, operation });
  }

  /** Something has changed at the others. */
  othersChanged(): void {
    for (const { ready, go } of this.#waiting.splice(0)) this.#when(ready, go);
  }

  /** Tells all servers to do something, and does it. */
  orderAll(order: Order): void {
    this.others.order(order);
    this.obey(order);
  }

  /** Does its part of what all servers are told. */
  obey({ name }: Order): void {
    if (name === 'merge') void this.#gather();
    else if (name === 'complete') this.change(completed(this.#status));
    else if (name === 'suspend') this.#suspendMerge = true;
    else if (name === 'resume') this.#suspendMerge = false;
    else if (name === 'fallBack') {
      this.change({ ring: 'SERVICE OUT', action: 'n/a', operation: 'Nothing' });
    } else if (name === 'abort') {
      this.change(aborted(this.#status));
      const again = this.automatic && !this.others.alone && this.#status.operation === 'Pending';
      if (again) this.merge(MERGE_PHASE);
    }
  }

  /** Gives MERGE after `phase` milliseconds, as soon as no other merge is under way. */
  merge(phase: number): void {
    this.#options.clock.after(phase, () => {
      this.#when(
        () => !this.others.operating && !this.others.disagree,
        () => {
          const { operation, suspended } = this.#status;
          if (operation === 'Pending' && !suspended) this.orderAll({ name: 'merge' });
        },
      );
    });
  }

  change(to: Partial<Status>): void {
    this.#status = { ...this.#status, ...to };
    this.#options.changed();
  }

  #joinWhenUndisturbed(): void {
    const { clock, others } = this.#options;
    const wait = this.#joinAllowedAt - clock.monotonic();
    if (wait > 0) {
      clock.after(wait, () => {
        if (!this.#status.suspended) this.#joinWhenUndisturbed();
      });
      return;
    }
    if (!this.automatic) return;
    this.#startupServiceIn = false;
    const collision = others.operating ? others.collide() : 'wait';
    if (collision === 'fall') return;
    this.#hangs ||= collision === 'hang';
    this.change({ ring: 'SERVICE IN', action: 'ADD', operation: 'Pending' });
    this.merge(MERGE_PHASE);
  }

  /** Pending → Doing → Done, and on to the end when merges complete by themselves. */
  async #gather(): Promise<void> {
    if (this.#status.operation !== 'Pending' || this.#status.suspended) return;
    const { clock, others, mergeTime } = this.#options;
    this.change({ operation: 'Doing' });
    if (!others.alone && this.#isLost()) return;
    const least = others.alone ? MERGE_PHASE : mergeTime;
    const count = await others.pull();
    clock.after(least + MERGE_KEY * count, () => {
      if (this.#status.operation !== 'Doing') return;
      this.change({ operation: 'Done' });
      if (this.automatic) this.#completeByItself();
    });
  }

  /** Whether this merge never ends. */
  #isLost(): boolean {
    const { clock, strikes } = this.#options;
    if (this.#hangs) return true;
    const joins = this.#status.action === 'ADD';
    const isLost = this.automatic ? joins && strikes('hang') : strikes('lostAnswer');
    if (isLost) this.#busyUntil = lookForAnswer(clock);
    return isLost;
  }

  #completeByItself(): void {
    const { others, strikes } = this.#options;
    const hazard = UNFINISHED[this.#status.action];
    if (!others.alone && strikes(hazard)) return;
    this.#when(
      () => !others.doing,
      () => this.change(completed(this.#status)),
    );
  }

  #when(ready: () => boolean, go: () => void): void {
    if (ready()) go();
    else this.#waiting.push({ ready, go });
  }
}
