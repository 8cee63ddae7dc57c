import type { MergeMode } from '../../ring/merge-mode.ts';

/** What the reconciler can do about a difference, one at a time. */
export type Action =
  | 'mount-volume'
  | 'register'
  | 'unregister'
  | 'publish-ini'
  | 'start-chmpx'
  | 'start-k2hdkc'
  | 'service-in'
  | 'complete-merge'
  | 'join-ring'
  | 'finish-merge'
  | 'leave-ring'
  | 'leave-to-restart'
  | 'stop-k2hdkc'
  | 'stop-chmpx'
  | 'restart-pair'
  | 'give-in'
  | 'end-shrink';

/** The next step: something to do, something to wait for, or nothing. */
export type Step =
  | { kind: 'do'; action: Action; why: string }
  | { kind: 'wait'; why: string; ms?: number }
  | { kind: 'rest'; why: string };

/** The times that coordinated merges are planned by, in milliseconds. */
export interface MergeTimes {
  /** The first servers of a new ring wait so long for the others of the role. */
  gatherMs: number;
  /** A change whose leader does nothing for so long is taken over by another. */
  takeOverMs: number;
  /** The same while servers are Doing: their data moves without a sign. */
  mergeMs: number;
}

/** The times that the plan decides by, in milliseconds. */
export interface PlanTimes {
  /** The ring must have been the same for so long. */
  ringStableMs: number;
  /** Between the starts of two servers of a ring. */
  startSpacingMs: number;
  startTimeoutMs: number;
  /** SERVICE OUT under a living k2hdkc for so long is a known stuck form; so is an idle Done. */
  stuckAfterMs: number;
  /** A change of others is waited for so long before one's own. */
  changeWaitMs: number;
  /** Who moves data, and the times that only count when the agents do. */
  merge: MergeMode;
  coordinated: MergeTimes;
}

/** A step that does something. */
export const act = (action: Action, why: string): Step & { kind: 'do' } => ({
  kind: 'do',
  action,
  why,
});

/** A step that waits: for `ms` milliseconds, or until the next look. */
export const wait = (why: string, ms?: number): Step & { kind: 'wait' } =>
  ms === undefined ? { kind: 'wait', why } : { kind: 'wait', why, ms };

/** A problem behind a reason, for a person; nothing when there is none. */
export function because(problem: string | null): string {
  return problem === null ? '' : ` (${problem})`;
}
