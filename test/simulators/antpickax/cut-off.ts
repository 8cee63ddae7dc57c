import type { Peers } from './peers.ts';
import type { Order } from './protocol.ts';
import type { Member, RingView } from './ring-view.ts';
import { down, unreachable, type Status } from './status.ts';

/** What is needed to deal with servers that were cut off. */
export interface CutOffOptions {
  view: RingView;
  peers: Peers;
  isSlave: boolean;
  /** Gives a server another status, here. */
  set: (id: string, status: Status) => void;
}

/**
 * Servers whose connection TCP's keepalive has ended. A server of a real ring is connected to the
 * next one only: that one it takes for down, and tells those that it still reaches; any other it
 * goes on to take for what it was. A slave takes all of them for down. None of them is tried again
 * while any server is up, unless a slave is told that it is back. The same holds for a slave and
 * servers that have refused it; one that is refused by all tries all of them again.
 */
export class CutOff {
  readonly #options: CutOffOptions;
  readonly #gone = new Set<string>();
  /** Servers that have refused this slave. */
  readonly #refused = new Set<string>();
  /** The server that this one looks after, as of the last news. */
  #next: string | undefined;
  #tries = 0;

  constructor(options: CutOffOptions) {
    this.#options = options;
  }

  /** Servers that are not connected and are tried. A slave that lost all of them tries one by one. */
  worthTrying(): Member[] {
    const { isSlave, view, peers } = this.#options;
    const servers = view.others.filter(({ id }) => !peers.isConnected(id));
    const isGivenUp = (id: string): boolean => this.#gone.has(id) || this.#refused.has(id);
    if (view.nextUp !== undefined) return servers.filter(({ id }) => !isGivenUp(id));
    if (!isSlave || this.#gone.size === 0) return servers;
    this.#tries += 1;
    return servers.filter((_, at) => at === this.#tries % servers.length);
  }

  /** These servers do not have this slave in their ini. */
  refusedBy(ids: readonly string[]): void {
    const { isSlave, view, set } = this.#options;
    if (!isSlave) return;
    for (const id of ids) this.#refused.add(id);
    // Servers that take the slave tell it that the others are in service.
    if (view.nextUp !== undefined)
      for (const id of ids) set(id, { ...unreachable, ring: 'SERVICE IN' });
  }

  /** There is news of a server. */
  heard(id: string, wasUp: boolean): void {
    const { isSlave, view, peers } = this.#options;
    this.#gone.delete(id);
    this.#refused.delete(id);
    this.#next = view.nextUp;
    const isUp = view.find(id)?.status.live === 'UP';
    if (!isSlave && !wasUp && isUp) peers.order({ name: 'found', node: id });
  }

  /** The last connection to it was cut. */
  lost(id: string): void {
    const { isSlave, peers } = this.#options;
    this.#gone.add(id);
    if (!isSlave && id !== this.#next) return;
    this.#down(id);
    if (!isSlave) peers.order({ name: 'lost', node: id });
  }

  /** Whether an order is that another server was lost, or found again. */
  told(order: Order): boolean {
    if (order.name !== 'lost' && order.name !== 'found') return false;
    const { isSlave } = this.#options;
    if (order.name === 'lost' && !isSlave) this.#down(order.node);
    if (order.name === 'found' && isSlave) {
      this.#gone.delete(order.node);
      this.#refused.delete(order.node);
    }
    return true;
  }

  #down(id: string): void {
    const { view, set } = this.#options;
    const status = view.others.find((one) => one.id === id)?.status;
    if (status) set(id, down(status));
  }
}
