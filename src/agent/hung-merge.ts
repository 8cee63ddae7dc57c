import type { Clock } from '../base/clock.ts';
import { sameServer } from '../cluster/ring.ts';
import type { RingNode, RingStatus } from '../cluster/status.ts';

/** Servers finish within a fraction of the time that each takes; a request that was lost never (ms). */
const LATE_MS = 4_000;

/**
 * Tells whether this node was the one that hung in a merge: others were Done, or it merged alone, and
 * it was still Doing for a while when the merge was aborted, and it has not merged since. It must be shown every status
 * that anybody reads: while this node leads a merge itself, nobody else looks.
 */
export class HungMerge {
  readonly #clock: Clock;
  #hung = false;
  #last: RingNode['merge'] = 'Nothing';
  #lateSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Both programs should start again. */
  get hung(): boolean {
    return this.#hung;
  }

  /** Looks at a status on its way to whoever has read it. */
  note<T extends RingStatus | null>(status: T): T {
    if (status === null) return status;
    const { merge } = status.self;
    const now = this.#clock.monotonic();
    const late = this.#lateSince !== null && now - this.#lateSince >= LATE_MS;
    if (this.#last === 'Doing' && merge === 'Pending' && late) this.#hung = true;
    if (merge === 'Done') this.#hung = false;
    const others = status.servers.filter((server) => !sameServer(server, status.self));
    const isLast =
      others.some((server) => server.merge === 'Done') ||
      others.every((server) => server.merge === 'Nothing');
    this.#lateSince = merge === 'Doing' && isLast ? (this.#lateSince ?? now) : null;
    this.#last = merge;
    return status;
  }

  /** chmpx does not run: the next one has not hung. */
  forget(): void {
    this.#hung = false;
    this.#last = 'Nothing';
    this.#lateSince = null;
  }
}
