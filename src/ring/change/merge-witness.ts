import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../ring.ts';
import type { RingStatus } from '../status.ts';
import { joiners, mergePhase } from './merge-phase.ts';

/**
 * A leader that has not looked for so long (ms), because its VM stood still say, does not know what
 * has happened meanwhile. A busy machine takes a second for a look.
 */
const LEADER_BLIND_MS = 3_000;

/**
 * What a leader has seen of a merge, and statuses do not show: who joined when it began, and whether it
 * was this leader that began it. A joiner that goes is out at once and leaves no trace.
 */
export class MergeWitness {
  readonly #clock: Clock;
  #joiners: ReadonlySet<string> | null = null;
  #merges = false;
  #gaveMerge = false;
  #givenUp = 0;
  #lookedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `serverKey` of those that joined when the merge began; null: that was not seen. */
  get joiners(): ReadonlySet<string> | null {
    return this.#joiners;
  }

  /** This leader has given the MERGE that servers are Doing or Done of. */
  get gaveMerge(): boolean {
    return this.#gaveMerge;
  }

  /** Merges that were given up, by whomever: servers that were Doing or Done are Pending again. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** To be told when this leader gives MERGE. */
  gave(): void {
    this.#gaveMerge = true;
  }

  /** To be called with every look. Joiners are gathered one by one, and none comes while others merge. */
  look(ring: RingStatus): void {
    const phase = mergePhase(ring);
    const merges = phase === 'merging' || phase === 'mixed' || phase === 'merged';
    const now = this.#clock.monotonic();
    const isBlind = now - this.#lookedAt > LEADER_BLIND_MS;
    const are = joiners(ring).map(serverKey);
    if (!merges) this.#joiners = new Set(are);
    else if (!this.#merges && isBlind) this.#joiners = null;
    else if (this.#joiners) this.#joiners = new Set([...this.#joiners, ...are]);
    if (this.#merges && !merges) {
      this.#gaveMerge = false;
      if (phase !== 'quiet') this.#givenUp += 1;
    }
    this.#merges = merges;
    this.#lookedAt = now;
  }
}
