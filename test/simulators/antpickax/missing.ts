import type { Clock } from '../../../src/base/clock.ts';
import type { Peers } from './peers.ts';
import type { Order } from './protocol.ts';
import type { Member, RingView } from './ring-view.ts';
import { aborted, completed, unreachable, type Status } from './status.ts';

/** What is needed to deal with servers that are gone. */
export interface MissingOptions {
  clock: Clock;
  view: RingView;
  peers: Peers;
  /** Called after every change of the view. */
  changed: () => void;
}

/** How long a crash takes to be dealt with, in milliseconds. */
const EVICTION = 40;

/** Down, and yet in service: its keys are still asked of it. */
export function isMissing({ live, ring }: Status): boolean {
  return live === 'DOWN' && ring === 'SERVICE IN';
}

/**
 * Servers that are down and have kept their place in the ring. With AUTOMERGE they lose it at once;
 * without, until SERVICEOUT, MERGE and COMPMERGE are given for them, or they come back.
 */
export class Missing {
  readonly #options: MissingOptions;

  constructor(options: MissingOptions) {
    this.#options = options;
  }

  get members(): Member[] {
    return this.#options.view.others.filter(({ status }) => isMissing(status));
  }

  /** With AUTOMERGE: takes its place from a server that is still missing after a moment. */
  evict(id: string): void {
    const { clock, view } = this.#options;
    clock.after(EVICTION, () => {
      const member = view.find(id);
      if (member !== undefined && isMissing(member.status)) this.settle(id, unreachable);
    });
  }

  /** Gives a missing server another status, here and everywhere. */
  settle(id: string, status: Status): void {
    this.#options.peers.order({ name: 'dead', node: id, status });
    this.#set(id, status);
  }

  /** Another node has given a missing server a status; who has not noticed the crash yet, will. */
  heard(id: string, status: Status): void {
    const { clock, view } = this.#options;
    clock.after(view.find(id)?.status.live === 'DOWN' ? 0 : EVICTION, () => {
      if (view.find(id)?.status.live === 'DOWN') this.#set(id, status);
    });
  }

  /** They cannot obey; everybody notes for them what they would do. */
  order({ name }: Order): void {
    for (const { id, status } of this.members) {
      if (status.action !== 'DELETE') continue;
      if (name === 'merge') this.#set(id, { ...status, operation: 'Done' });
      else if (name === 'complete') this.#set(id, completed(status));
      else if (name === 'abort') this.#set(id, aborted(status));
    }
  }

  #set(id: string, status: Status): void {
    this.#options.view.set(id, status);
    this.#options.changed();
  }
}
