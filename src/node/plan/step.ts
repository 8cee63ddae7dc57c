import type { CureCommand } from '../../ring/change/cure.ts';
import type { LeaveKind } from '../../ring/change/leave.ts';
import type { GiveIn } from '../../ring/watch/give-in.ts';
import { statusWords } from '../../ring/status.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import type { MergeMode } from '../../ring/merge-mode.ts';

/** How both programs start again, and why. */
export interface PairRestart {
  /** chmpx takes no signal but KILL. */
  hard: boolean;
  /** chmpx has a k2hdkc that it must see go first. */
  suspends: boolean;
  why: string;
}

/**
 * What the reconciler can do about a difference, one at a time. An action says all that the plan has
 * decided; who does it decides nothing again.
 */
export type Action =
  | { do: 'mount-volume' }
  | { do: 'register' }
  | { do: 'unregister' }
  | { do: 'publish-ini' }
  /** `toLeave`: only so that the node can leave the ring with its data. */
  | { do: 'start-chmpx'; generation: string; toLeave: boolean }
  | { do: 'start-k2hdkc'; generation: string }
  | { do: 'cure'; command: CureCommand }
  | { do: 'lead-merge'; goal: 'join' | 'finish' }
  /** `waitsFor`: CUKs of the servers that keep this one from being the last also while they are down. */
  | { do: 'leave-ring'; kind: LeaveKind; waitsFor: ReadonlySet<string> }
  /** `orphan`: its chmpx is gone, so that it has nothing left to do. */
  | { do: 'stop-k2hdkc'; orphan: boolean }
  /** `suspends`: it has a k2hdkc that it must see go first. */
  | { do: 'stop-chmpx'; suspends: boolean }
  /** Counts as a crash. */
  | ({ do: 'restart-pair' } & PairRestart)
  /** Both programs start again because the ring is split, after they were gone for `holdMs`. */
  | ({ do: 'give-in'; holdMs: number } & PairRestart)
  | { do: 'end-shrink' };

/** The next step: something to do, something to wait for, or nothing. */
export type Step =
  | { kind: 'do'; action: Action; why: string }
  | { kind: 'wait'; why: string; ms?: number }
  | { kind: 'rest'; why: string };

/** A status of this node that another's change passes through does not last so long (ms). */
export const PASSING_MS = 2_000;

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

/** Both programs start again; a pair that hangs is as good as one that crashed. */
export function restartPair(observed: Observed, why: string): Step {
  const { status } = observed.seen;
  const words = status ? statusWords(status.self) : 'without a status';
  const reason = `no progress, last seen as ${words}`;
  return act({ do: 'restart-pair', ...howToRestart(observed), why: reason }, why);
}

/** Both programs start again so that a split ring comes together. */
export function giveWay(observed: Observed, giveIn: GiveIn): Step {
  return act({ do: 'give-in', ...howToRestart(observed), ...giveIn }, giveIn.why);
}

function howToRestart({ seen: { status }, memory }: Observed): Omit<PairRestart, 'why'> {
  return {
    hard: memory.mergeHangs || memory.mergeHung,
    suspends: status?.self.ring !== 'SLAVE',
  };
}

/** A slave has no k2hdkc that its chmpx could miss. */
export function stopChmpx({ mode }: DesiredState): Action {
  return { do: 'stop-chmpx', suspends: mode !== 'slave' };
}

/** A problem behind a reason, for a person; nothing when there is none. */
export function because(problem: string | null): string {
  return problem === null ? '' : ` (${problem})`;
}
