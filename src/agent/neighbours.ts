import { connect } from 'node:net';
import type { Clock } from '../base/clock.ts';

/** Another server of the role. */
export interface Neighbour {
  name: string;
  controlPort: number;
  /** It stands before this node in the ring. */
  before: boolean;
}

/** What is known of the other servers before this node's chmpx starts. */
export interface NeighbourView {
  /** How many have a chmpx that listens. */
  up: number;
  /** How many of those before this node have none: they start first. */
  absentBefore: number;
}

/** A host that does not answer for so long has no chmpx that this node could disturb (ms). */
const CONNECT_TIMEOUT_MS = 700;

/**
 * Whether the other servers of the role run, by connecting to their control ports and saying
 * nothing. When none does, the ring is being made: all agents read the role twice a second then,
 * and nobody runs with an ini that lacks this node. Each list of servers is looked at once, as soon
 * as it is known: later one that has begun to start would be disturbed (chmpx-k2hdkc contract,
 * section 3).
 */
export class Neighbours {
  readonly #clock: Clock;
  #of = '';
  #view: NeighbourView | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of these servers; null while they are being looked at, which this call begins. */
  look(neighbours: readonly Neighbour[]): NeighbourView | null {
    const of = JSON.stringify(neighbours);
    if (of !== this.#of) {
      this.#of = of;
      this.#view = null;
      void this.#ask(neighbours).then((view) => {
        if (of === this.#of) this.#view = view;
      });
    }
    return this.#view;
  }

  /** This node's chmpx runs: the next start looks anew. */
  forget(): void {
    this.#of = '';
    this.#view = null;
  }

  async #ask(neighbours: readonly Neighbour[]): Promise<NeighbourView> {
    const seen = await Promise.all(
      neighbours.map(async (one) => ({ ...one, up: await this.#listens(one) })),
    );
    return {
      up: seen.filter(({ up }) => up).length,
      absentBefore: seen.filter(({ up, before }) => before && !up).length,
    };
  }

  #listens({ name, controlPort }: Neighbour): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: name, port: controlPort });
      const end = (listens: boolean): void => {
        cancel();
        socket.destroy();
        resolve(listens);
      };
      const cancel = this.#clock.after(CONNECT_TIMEOUT_MS, () => {
        end(false);
      });
      socket.once('connect', () => {
        end(true);
      });
      socket.once('error', () => {
        end(false);
      });
    });
  }
}
