import { expect } from 'vitest';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import type { Observed } from '../../../src/node/observed.ts';
import { plan } from '../../../src/node/plan/plan.ts';
import { desiredState, IN, observed, ringStatus, TIMES, told } from '../builders.ts';

/** What follows from a situation, as `told` says it, or a wait and for how long. */
type Expected = string | { wait: number };

/** A situation by its name: what differs in the wish, what is observed, and what follows. */
export type Row = [string, Partial<DesiredState>, Observed, Expected, string?];

/** Checks the whole plan in one situation. */
export function check([, change, seen, expected, why]: Row): void {
  const step = plan(desiredState(change), seen, TIMES);
  if (typeof expected === 'string') expect(told(step)).toBe(expected);
  else expect(step).toMatchObject({ kind: 'wait', ms: expected.wait });
  if (why !== undefined) expect(step.why).toContain(why);
}

export const LONG = TIMES.startTimeoutMs + 1;
export const LONG_RUNNING = { generation: 'g1', runningMs: LONG };
export const noRegistration = { registration: null };
export const serving = observed();
export const inRing = observed({ status: ringStatus(IN, IN) });
