import type { RingStatus } from '../status.ts';
import { Lead, type LeadOptions } from './lead.ts';
import {
  goalReached,
  nextMergeStep,
  undoStep,
  type MergeGoal,
  type MergeStep,
} from './merge-steps.ts';

/** What a merge driver works with. */
export interface MergeDriverOptions extends LeadOptions {
  /** CUKs of the servers that the role has; nothing is known of it while it is empty. */
  role: () => ReadonlySet<string>;
}

/** How a coordinated change ended. */
export interface MergeOutcome {
  /**
   * `undone`: the ring is as it was before, open, without the change. `hung`: nobody has changed
   * place, but this leader's own server hung: it is closed until that one has started again.
   * `stuck`: undoing did not end in time either, and the ring may be closed.
   */
  result: 'done' | 'undone' | 'hung' | 'stuck';
  /** Why it is not done; empty when it is. */
  why: string;
  /** From the first command to the end (ms), and for how long of it the ring was closed. */
  tookMs: number;
  closedMs: number;
  /** Merges that were given up: they hung, or a server was gone in the middle. */
  aborted: number;
  /** A merge hung at the server of this leader, whose programs start again now. */
  hungItself: boolean;
}

/** Of the time for a change, what is kept for undoing it: this share, */
const UNDO_SHARE = 0.3;
/** and at most so long (ms). */
export const UNDO_MOST_MS = 30_000;

/**
 * Leads a coordinated merge. It keeps nothing but whom it has told what and who joined, so
 * that any other agent can go on where it stopped.
 */
export class MergeDriver {
  readonly #options: MergeDriverOptions;

  constructor(options: MergeDriverOptions) {
    this.#options = options;
  }

  /**
   * Leads until the goal is reached. A change that does not get there is undone, and the ring
   * opened, all within `limitMs` milliseconds.
   */
  async run(goal: MergeGoal, limitMs: number, signal: AbortSignal): Promise<MergeOutcome> {
    const { clock, log, role } = this.#options;
    const begun = clock.monotonic();
    const deadline = begun + limitMs;
    const undoFrom = deadline - Math.min(UNDO_MOST_MS, UNDO_SHARE * limitMs);
    const lead = new Lead(this.#options, goal === 'finish');
    const end = (result: MergeOutcome['result'], why: string, undo?: Lead): MergeOutcome => ({
      result,
      why,
      tookMs: Math.round(clock.monotonic() - begun),
      closedMs: Math.round(lead.closedMs + (undo?.closedMs ?? 0)),
      aborted: lead.givenUp,
      hungItself: lead.hungItself || (undo?.hungItself ?? false),
    });
    const next = (ring: RingStatus): MergeStep =>
      nextMergeStep(ring, { ...lead.memory, goal, role: role() });
    const failure = await lead.follow(next, undoFrom, signal);
    if (failure === null) return end('done', '');
    log.warn({ goal, reason: failure }, 'a coordinated merge did not end: undoing it');
    const undo = lead.undoing();
    const goalIs = { reached: false };
    const noting = (step: MergeStep, ring: RingStatus): MergeStep => {
      goalIs.reached = step.over && goalReached(ring, goal);
      return step;
    };
    const giveUp = (ring: RingStatus): MergeStep => {
      const leftMs = deadline - clock.monotonic();
      return noting(undoStep(ring, { ...undo.memory, goal, leftMs }), ring);
    };
    const back = await undo.follow(giveUp, deadline, signal);
    // Out of the ring it is in nobody's way; in it the next merge would hang at it again.
    const hungItself = lead.hungItself || undo.hungItself;
    if (back === null && hungItself && goal !== 'join' && !goalIs.reached) {
      return end('hung', failure, undo);
    }
    const open = (ring: RingStatus): MergeStep =>
      noting(nextMergeStep(ring, { ...undo.memory, goal: 'finish' }), ring);
    const why = back ?? (await undo.follow(open, deadline, signal));
    if (why !== null) return end('stuck', `${failure}; undoing: ${why}`, undo);
    return goalIs.reached ? end('done', '', undo) : end('undone', failure, undo);
  }
}
