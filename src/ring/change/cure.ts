import type { Clock } from '../../base/clock.ts';
import type { RingSight } from '../sight.ts';
import type { Order } from './merge-order.ts';

/** A command that cures this node is not sent again before so long (ms). */
export const CURE_PAUSE_MS = 15_000;

/** What cures a node that is stuck; see `Cure`. */
export type CureCommand = 'SERVICEIN' | 'COMPMERGE';

/**
 * One command to this node itself. SERVICEIN cures SERVICE OUT under a living k2hdkc; COMPMERGE an
 * automatic merge that is Done and that nobody completes: chmpx waits for a message that came
 * before it began to wait.
 */
export class Cure {
  readonly #sight: Pick<RingSight, 'look'>;
  readonly #send: (order: Order) => Promise<unknown>;
  readonly #clock: Clock;
  #sentAt: number | null = null;

  constructor(parts: {
    sight: Pick<RingSight, 'look'>;
    send: (order: Order) => Promise<unknown>;
    clock: Clock;
  }) {
    this.#sight = parts.sight;
    this.#send = parts.send;
    this.#clock = parts.clock;
  }

  /** The last one was sent so long ago (ms); null: none since the programs started. */
  get sentMs(): number | null {
    return this.#sentAt === null ? null : this.#clock.monotonic() - this.#sentAt;
  }

  /** The programs start, or the wish has changed. */
  forget(): void {
    this.#sentAt = null;
  }

  /** Sends the command; nothing happens while the ring cannot be seen. */
  async send(command: CureCommand): Promise<void> {
    const status = await this.#sight.look();
    if (!status) return;
    this.#sentAt = this.#clock.monotonic();
    await this.#send({ command, at: status.self });
  }
}
