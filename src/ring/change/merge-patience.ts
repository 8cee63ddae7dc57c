import type { RingStatus } from '../status.ts';

/** How long servers may stay Doing, in milliseconds. */
export interface PatienceTimes {
  /** What is left to those that are still Doing when the last other one became Done, at least. */
  tailMs: number;
  /** For all of them together. */
  mergeMs: number;
  /** So many aborted merges are followed by another try. */
  tries: number;
}

/**
 * Tells a merge that hangs from one that takes long. Servers merge side by side and finish within a
 * fraction of the time that each takes; one whose request was lost stays Doing forever, while all
 * others are Done (docs/contracts/ring.md, 8.2; seen in 6 of 27 changes of 3 to 4 servers with 2000
 * keys). Trying again helped in one of them.
 */
export class MergePatience {
  readonly #times: PatienceTimes;
  #begun: number | null = null;
  #doing = 0;
  #changed = 0;
  #aborted = 0;
  #isFirst = true;

  constructor(times: PatienceTimes) {
    this.#times = times;
  }

  /** How many merges were found to hang. */
  get aborted(): number {
    return this.#aborted;
  }

  /**
   * To be called with every look at the ring.
   *
   * @param spentMs how long the merge had stood still before this look (ms): what a leader that is
   *   dead has waited. Else all that take over one after the other would wait side by side, and abort.
   * @returns null: no more tries are left.
   */
  look({ servers }: RingStatus, now: number, spentMs = 0): 'wait' | 'abort' | null {
    const doing = servers.filter(({ merge }) => merge === 'Doing').length;
    const done = servers.filter(({ merge }) => merge === 'Done').length;
    if (doing === 0) {
      this.#begun = null;
      return 'wait';
    }
    if (this.#begun === null || doing !== this.#doing) {
      const since = this.#isFirst ? now - spentMs : now;
      this.#isFirst = false;
      this.#begun ??= since;
      this.#doing = doing;
      this.#changed = since;
    }
    const { tailMs, mergeMs, tries } = this.#times;
    // Who was aborted wrongly gets twice the time at the next try.
    const tail = Math.max(tailMs, this.#changed - this.#begun) * 2 ** this.#aborted;
    const hangs = done > 0 ? now - this.#changed > tail : now - this.#begun > mergeMs;
    if (!hangs) return 'wait';
    this.#begun = null;
    this.#aborted += 1;
    return this.#aborted < tries ? 'abort' : null;
  }
}
