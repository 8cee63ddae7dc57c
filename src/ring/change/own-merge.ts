import type { Clock } from '../../base/clock.ts';
import { sameServer } from '../ring.ts';
import type { RingNode, RingStatus } from '../status.ts';

/** What a merge of this node is judged by. Times in milliseconds. */
export interface OwnMergeOptions {
  /** The CPU time that each of its programs has used. */
  cpuMs: Readonly<Record<'chmpx' | 'k2hdkc', () => number>>;
  /** Merging alone, it hangs when both have done nothing for so long: at the first try, and at any. */
  hangAfter: { first: number; cap: number };
  clock: Clock;
}

/** So long after the last work of k2hdkc its answer is lost that chmpx looks for (ms). */
const ANSWER_LOST_MS = 3_000;
/**
 * Who uses less has done nothing (ms, and its share of the time): idle ones use 0.2 %, a chmpx that
 * looks for an answer 9 to 16 %.
 */
const IDLE_CPU = { ms: 20, k2hdkc: 0.01, chmpx: 0.04 };
/** A VM or an agent that stood still for longer has not watched meanwhile (ms). */
const WATCHED_MS = 1_000;

/**
 * Tells whether this node hangs in a merge: it is Doing, and its k2hdkc does nothing, through which
 * all passes that it gets. Clients' commands are not sent to it meanwhile. Then either
 *
 * - its chmpx is busy: it asked k2hdkc for the time of the last update, and lost the answer. It looks
 *   for it a million times, 80 s long, and then forgets the merge;
 * - or chmpx does nothing either. When others merge too, theirs comes first: a k2hdkc serves one
 *   server after the other. When this node merges alone, the request was lost, or the others look
 *   for long for what they have to give: each try in a row has twice the time.
 *
 *     Doing ──k2hdkc does nothing──▶ hangs ──both start again──▶ Pending
 *       │                              └──ABORTMERGE──▶ Pending: hung ──both start again──▶ Pending
 *       └──▶ Done
 *
 * RingSight shows it every status that anybody reads.
 */
export class OwnMerge {
  readonly #options: OwnMergeOptions;
  #hung = false;
  /** Tries in a row in which it hung. */
  #hangs = 0;
  #last: RingNode['merge'] = 'Nothing';
  #seenAt = 0;
  /** What both had used when k2hdkc worked last; how long ago that is, and how much of it alone. */
  #used = { chmpx: 0, k2hdkc: 0 };
  #idleMs = 0;
  #aloneMs = 0;
  #lostAnswer = false;

  constructor(options: OwnMergeOptions) {
    this.#options = options;
  }

  /** It is Doing and hangs. */
  get hangs(): boolean {
    return this.#last === 'Doing' && this.#hangsBy(2 ** this.#hangs);
  }

  /** It hung when a merge was aborted, and has not merged since. */
  get hung(): boolean {
    return this.#hung;
  }

  /** Looks at the status that was read last. */
  look(status: RingStatus): void {
    const { merge } = status.self;
    // Another may abort the merge a little before the time is up here.
    const isAborted = this.#last === 'Doing' && merge === 'Pending';
    if (isAborted && (this.#hangsBy(1 / 2) || this.#waitsTooLong)) this.#hung = true;
    if (merge === 'Done') {
      this.#hung = false;
      this.#hangs = 0;
    }
    if (merge === 'Doing') this.#watch(status);
    this.#last = merge;
  }

  /** chmpx does not run: the next one has not hung. */
  forget(): void {
    if (this.#hung || this.hangs) this.#hangs += 1;
    this.#hung = false;
    this.#last = 'Nothing';
  }

  /** Longer than any server was seen to wait for its turn (20 s), and the leader has given it up. */
  get #waitsTooLong(): boolean {
    return this.#idleMs >= 3 * this.#options.hangAfter.first;
  }

  /** Whether it has waited for so many times what it gets at the first try. */
  #hangsBy(times: number): boolean {
    const { first, cap } = this.#options.hangAfter;
    return (
      (this.#lostAnswer && this.#idleMs >= Math.min(ANSWER_LOST_MS * times, cap)) ||
      this.#aloneMs >= Math.min(first * times, cap)
    );
  }

  #watch({ self, servers }: RingStatus): void {
    const { cpuMs, clock } = this.#options;
    const now = clock.monotonic();
    const used = { chmpx: cpuMs.chmpx(), k2hdkc: cpuMs.k2hdkc() };
    const worked = (name: 'chmpx' | 'k2hdkc'): boolean =>
      Math.abs(used[name] - this.#used[name]) > IDLE_CPU.ms + IDLE_CPU[name] * this.#idleMs;
    if (this.#last !== 'Doing' || worked('k2hdkc')) {
      this.#used = used;
      this.#idleMs = 0;
      this.#aloneMs = 0;
    } else {
      const watched = Math.min(now - this.#seenAt, WATCHED_MS);
      const alone = servers.every((node) => node.merge !== 'Doing' || sameServer(node, self));
      this.#idleMs += watched;
      this.#aloneMs += alone ? watched : 0;
    }
    this.#lostAnswer = worked('chmpx');
    this.#seenAt = now;
  }
}
