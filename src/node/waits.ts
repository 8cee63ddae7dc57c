import { membershipChangeRuns } from '../ring/ring.ts';
import type { Finding } from '../ring/watch/concerns.ts';
import { RESTORE_FIRST } from './plan/start.ts';
import type { Snapshot } from './reconciler.ts';

/** A start, a registration and a join without data are over sooner (ms). */
const PATIENCE_MS = 30_000;

/**
 * What a node waits for, or tries again and again, on its way to what it should be. Pure. A restore and
 * changes of the ring move data and have limits of their own; a node that serves is rolled server by
 * server.
 *
 * @param snapshot the newest look of the reconciler; null before the first
 */
export function whatWaits(snapshot: Snapshot | null): Finding[] {
  if (snapshot === null || snapshot.step.kind === 'rest') return [];
  const { state, step, observed } = snapshot;
  const { status } = observed.seen;
  if (state === 'serving' || step === RESTORE_FIRST) return [];
  if (status !== null && membershipChangeRuns(status)) return [];
  if (step.kind === 'do' && DATA.has(step.action.do)) return [];
  const text = `this node is ${state} and does not get on: ${step.why}`;
  return [{ kind: 'waits', subject: state, text, patienceMs: PATIENCE_MS }];
}

/** Actions that may take as long as the data needs. */
const DATA: ReadonlySet<string> = new Set(['lead-merge', 'leave-ring']);
