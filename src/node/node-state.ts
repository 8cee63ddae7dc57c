import { isServing } from '../ring/status.ts';
import type { DesiredState } from './desired-state.ts';
import type { Observed } from './observed.ts';
import { isStopped, runsOldGeneration } from './plan/wants.ts';

/**
 * What this node is, by what is seen of it; nothing keeps it, so nothing can be wrong about it.
 *
 *     detached ─▶ registering ─▶ starting ─▶ joining ─▶ serving ◀─▶ merging
 *        ▲                          ▲  ▲         ▲          │ ▲
 *        │                          │  └─────────┴──────────┤ └────▶ suspended: k2hdkc is gone
 *        │            stopped ──────┘   chmpx is gone       │
 *        │               ▲                                  ▼
 *        └───────────────┴────────────────────────────── leaving
 *
 *     failed: prepare failed, or a crash loop; from any state, left by the next good start
 */
export const NODE_STATES = [
  /** Prepared for no cluster, or out of it. */
  'detached',
  /** K2HR3 does not have this node in the role yet, or the role could not be read. */
  'registering',
  /** chmpx or k2hdkc is not up yet. */
  'starting',
  /** On the way into the ring. */
  'joining',
  /** In the ring, while a merge moves its data: coming back, or for the sake of another. */
  'merging',
  /** `[SERVICE IN][UP][n/a][Nothing][NoSuspend]`; a slave: its chmpx is up, and was let in. */
  'serving',
  /** In the ring without a k2hdkc. */
  'suspended',
  /** To stop or to restart, and not stopped yet. */
  'leaving',
  /** Stopped on purpose. */
  'stopped',
  'failed',
] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** What the node is by its wish, what runs, and what has crashed. */
export function nodeState(desired: DesiredState, observed: Observed): NodeState {
  const runs = !isStopped(observed);
  if (desired.phase === 'failed') return 'failed';
  if (desired.stopped) return runs ? 'leaving' : 'stopped';
  if (desired.phase === 'new' || desired.parameters === null || desired.shrinking) {
    return runs ? 'leaving' : 'detached';
  }
  if (runsOldGeneration(desired, observed.seen)) return 'leaving';
  const state = memberState(desired, observed);
  const loops = observed.memory.crashLoops && state !== 'serving';
  return loops ? 'failed' : state;
}

function memberState(desired: DesiredState, { seen }: Observed): NodeState {
  const { chmpx, k2hdkc, status, role } = seen;
  if (!chmpx && (desired.registration === null || role.ini === null)) return 'registering';
  if (!chmpx || status?.self.live !== 'UP') return 'starting';
  if (desired.mode === 'slave') return seen.isLetIn ? 'serving' : 'joining';
  const { self } = status;
  const isIn = self.ring === 'SERVICE IN';
  if (!k2hdkc || self.suspended) return isIn ? 'suspended' : 'starting';
  if (isServing(self)) return 'serving';
  if (self.operation === 'DELETE') return 'leaving';
  return isIn && self.operation === 'n/a' ? 'merging' : 'joining';
}
