import type { RingNode, RingStatus } from '../cluster/status.ts';

/**
 * Tells whether this node was the one that hung in a merge: it was still Doing when the merge was
 * aborted, and has not merged since. It must be shown every status that anybody reads: while this
 * node leads a merge itself, nobody else looks.
 */
export class HungMerge {
  #hung = false;
  #last: RingNode['merge'] = 'Nothing';

  /** Both programs should start again. */
  get hung(): boolean {
    return this.#hung;
  }

  /** Looks at a status on its way to whoever has read it. */
  note<T extends RingStatus | null>(status: T): T {
    if (status === null) return status;
    const { merge } = status.self;
    if (this.#last === 'Doing' && merge === 'Pending') this.#hung = true;
    if (merge === 'Done') this.#hung = false;
    this.#last = merge;
    return status;
  }

  /** chmpx does not run: the next one has not hung. */
  forget(): void {
    this.#hung = false;
    this.#last = 'Nothing';
  }
}
