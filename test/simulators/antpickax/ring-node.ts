import type { Clock } from '../../../src/base/clock.ts';
import type { Status } from './status.ts';

/** Answer of a command: its text, and how long chmpx takes to give it. */
export interface Answer {
  text: string;
  delay?: number;
}

/** How the node is set up. */
export interface RingNodeOptions {
  clock: Clock;
  /** AUTOMERGE of the ini. */
  autoMerge: boolean;
  /** Called after every change of the status. */
  changed: () => void;
}

/** One phase of a merge of nothing, in milliseconds. */
const MERGE_PHASE = 25;
/** RWTIMEOUT × RETRYCNT of the usual ini: how long anything that goes wrong here takes. */
export const STALL = 5000;

const noServer = 'SUCCEED: There no server on RING.';
const notAllowed = 'ERROR: Could not change status, because status is not allowed.';

/**
 * The status of a single server and what changes it (chmpx-k2hdkc contract, sections 2 and 5;
 * the rows after SERVICEOUT were measured for this stand-in).
 *
 *     SERVICE OUT n/a Nothing ──first join, AUTOMERGE, or SERVICEIN──▶ SERVICE IN ADD Pending
 *     SERVICE IN ADD|n/a Pending ──merge──▶ Doing ▶ Done ──complete──▶ SERVICE IN n/a Nothing
 *     SERVICE IN n/a Nothing ──k2hdkc attaches again──▶ SERVICE IN n/a Pending
 *     SERVICE IN n/a Nothing ──SERVICEOUT──▶ SERVICE IN DELETE Pending      (and stays there)
 *     SERVICE IN DELETE Pending ──SERVICEIN, ABORTMERGE──▶ SERVICE IN n/a Pending
 *     SERVICE IN DELETE Pending ──MERGE and COMPMERGE──▶ SERVICE OUT n/a Nothing
 *
 * Suspend is beside all this: it is on while no k2hdkc is attached.
 */
export class RingNode {
  readonly #clock: Clock;
  readonly #changed: () => void;
  #autoMerge: boolean;
  #suspendMerge = false;
  /** Goes into service by itself, once in a life. */
  #startupServiceIn = true;
  #status: Status = {
    ring: 'SERVICE OUT',
    live: 'UP',
    action: 'n/a',
    operation: 'Nothing',
    suspended: true,
  };
  #joinAllowedAt = 0;

  constructor({ clock, autoMerge, changed }: RingNodeOptions) {
    this.#clock = clock;
    this.#autoMerge = autoMerge;
    this.#changed = changed;
  }

  get status(): Readonly<Status> {
    return this.#status;
  }

  /** AUTOMERGE of a reloaded ini; a reload also forgets SUSPENDMERGE. */
  set autoMerge(value: boolean) {
    this.#autoMerge = value;
    this.#suspendMerge = false;
  }

  /** Whether the node has not yet taken its first step into service. */
  get starting(): boolean {
    return this.#startupServiceIn && this.#autoMerge;
  }

  /** A request on the control port during the start: nothing joins while its stall lasts. */
  disturb(): void {
    this.#joinAllowedAt = this.#clock.monotonic() + STALL;
  }

  /** A k2hdkc has attached; `stuck` makes it one that lost its old chmpx and is not let in. */
  join(stuck: boolean): void {
    this.#change({ suspended: false });
    if (this.#status.ring === 'SERVICE IN') {
      if (this.#status.action === 'n/a') this.#change({ operation: 'Pending' });
      if (this.#automatic) this.#merge(this.#status.action === 'DELETE' ? STALL : MERGE_PHASE);
    } else if (stuck) {
      this.#startupServiceIn = false;
    } else if (this.starting) {
      this.#joinWhenUndisturbed();
    }
  }

  /** The last k2hdkc has gone. */
  leave(): void {
    this.#change({ suspended: true });
  }

  /** SERVICEIN of the control port. */
  serviceIn(): Answer {
    const { ring, action, operation, suspended } = this.#status;
    if (operation === 'Doing') {
      return { text: 'ERROR: Could not change status, because server is operating now.' };
    }
    if (suspended || (ring === 'SERVICE IN' && action !== 'DELETE')) return { text: notAllowed };
    const leaving = action === 'DELETE';
    this.#change({ ring: 'SERVICE IN', action: leaving ? 'n/a' : 'ADD', operation: 'Pending' });
    if (!this.#automatic) return { text: 'SUCCEED: Send status notice to no server on RING.' };
    this.#merge(MERGE_PHASE);
    return { text: noServer };
  }

  /** SERVICEOUT of the only server: the answer is an error, and yet the status changes. */
  serviceOut(): Answer {
    const { ring, action, operation } = this.#status;
    if (ring !== 'SERVICE IN' || action !== 'n/a' || operation !== 'Nothing') {
      return { text: notAllowed };
    }
    this.#change({ action: 'DELETE', operation: 'Pending' });
    return { text: 'ERROR: Failed to send status notice to other servers.' };
  }

  /** MERGE. */
  merge(): Answer {
    if (this.#status.operation === 'Pending') this.#merge(MERGE_PHASE);
    return { text: noServer };
  }

  /** COMPMERGE. */
  completeMerge(): Answer {
    const { operation } = this.#status;
    if (operation === 'Pending' || operation === 'Doing') {
      return { text: 'ERROR: Failed to complete merging.', delay: STALL };
    }
    this.#complete();
    return { text: noServer };
  }

  /** ABORTMERGE. */
  abortMerge(): Answer {
    const { action, operation } = this.#status;
    if (operation === 'Done') this.#change({ operation: 'Pending' });
    if (action === 'DELETE') this.#change({ action: 'n/a' });
    return { text: noServer };
  }

  /** SUSPENDMERGE and NOSUSPENDMERGE. */
  suspendMerge(suspend: boolean): Answer {
    this.#suspendMerge = suspend;
    return { text: 'SUCCEED' };
  }

  get mergeSuspended(): boolean {
    return this.#suspendMerge;
  }

  get #automatic(): boolean {
    return this.#autoMerge && !this.#suspendMerge;
  }

  #joinWhenUndisturbed(): void {
    const wait = this.#joinAllowedAt - this.#clock.monotonic();
    if (wait > 0) {
      this.#clock.after(wait, () => {
        if (!this.#status.suspended) this.#joinWhenUndisturbed();
      });
      return;
    }
    if (!this.#automatic) return;
    this.#startupServiceIn = false;
    this.#change({ ring: 'SERVICE IN', action: 'ADD', operation: 'Pending' });
    this.#merge(MERGE_PHASE);
  }

  /** Pending → Doing → Done, and on to the end when merges complete by themselves. */
  #merge(phase: number): void {
    this.#clock.after(phase, () => {
      if (this.#status.operation !== 'Pending') return;
      this.#change({ operation: 'Doing' });
      this.#clock.after(MERGE_PHASE, () => {
        this.#change({ operation: 'Done' });
        if (this.#automatic) this.#complete();
      });
    });
  }

  #complete(): void {
    if (this.#status.operation !== 'Done') return;
    const out = this.#status.action === 'DELETE';
    this.#change({
      ring: out ? 'SERVICE OUT' : 'SERVICE IN',
      action: 'n/a',
      operation: 'Nothing',
    });
  }

  #change(to: Partial<Status>): void {
    this.#status = { ...this.#status, ...to };
    this.#changed();
  }
}
