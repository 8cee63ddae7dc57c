import { hasLeft, refusalOf } from './agent.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import type { LeaveKind } from '../../../src/ring/change/leave.ts';
import { Violation } from './invariants.ts';
import type { Machine } from './machine.ts';
import type { RingModel } from './ring-model.ts';

/** A leave for good must have ended so long after it was asked for (ms): leave_limit, and the stop. */
export const LEAVE_MS = 240_000;
/** A stop_db: 10 s, the stop of chmpx by SIGKILL after 20 s, and what was under way. */
export const STOP_MS = 60_000;
/** `leave_limit` and `stop_leave_limit`: one deadline for all that a leave does (ms). */
const LIMITS: Record<LeaveKind, number> = { stop: 10_000, good: 170_000, restart: 170_000 };
/** Pauses of an agent that sees nothing new are stretched, see AgentClock: by so much at most (ms). */
const LATE_MS = 5_000;

interface Leave {
  since: number;
  kind: 'leave' | 'stop-db';
  /** The server had no place in the ring. */
  wasOut: boolean;
}

/** Watches leaves: each ends, and none is said to be over while the ring lacks what it held. */
export class Leaves {
  readonly #ring: RingModel;
  readonly #leaves = new Map<Machine, Leave>();

  constructor(ring: RingModel) {
    this.#ring = ring;
  }

  /** It has not ended yet. */
  has(machine: Machine): boolean {
    return this.#leaves.has(machine);
  }

  /** It was asked to leave for good, or to stop. */
  begins(machine: Machine, kind: Leave['kind']): void {
    const wasOut = machine.row.ring !== 'SERVICE IN';
    this.#leaves.set(machine, { since: this.#ring.now, kind, wasOut });
  }

  /** This machine's agent takes it out of the role: its data must have moved. */
  unregisters(machine: Machine, snapshot: Snapshot | null | undefined): void {
    const leave = this.#leaves.get(machine);
    if (leave?.kind !== 'leave' || !machine.holds || leave.wasOut) return;
    if (snapshot?.observed.memory.crashLoops) return;
    if (!this.#othersServe(machine)) return;
    throw new Violation(`${machine.id} unregisters, but its data has not moved`);
  }

  /** @returns why the leave was refused: whoever asked for it must hear that, and undo it. */
  looked(machine: Machine, snapshot: Snapshot): string | null {
    const leave = this.#leaves.get(machine);
    if (leave === undefined) return null;
    const refusal = leave.kind === 'leave' ? refusalOf(snapshot) : null;
    if (refusal !== null || hasLeft(snapshot)) this.#leaves.delete(machine);
    return refusal;
  }

  /** One try of a leave, with its undoing, took so long (ms). */
  took(machine: Machine, kind: LeaveKind, ms: number): void {
    const limit = LIMITS[kind] + LATE_MS;
    if (ms > limit) throw new Violation(`leave-ring ${kind} of ${machine.id} took ${ms} ms`);
  }

  /** All is at rest: no leave may be under way. */
  over(): void {
    const [machine] = this.#leaves.keys();
    if (machine) throw new Violation(`the leave of ${machine.id} never ended`);
  }

  /** The machine is gone, or something else is wanted of it. */
  forget(machine: Machine): void {
    this.#leaves.delete(machine);
  }

  /** @throws Violation when one takes too long. */
  look(): void {
    for (const [machine, { since, kind }] of this.#leaves) {
      const limit = kind === 'leave' ? LEAVE_MS : STOP_MS;
      if (machine.isOff || this.#ring.now - since <= limit) continue;
      throw new Violation(`${kind} of ${machine.id} has not ended after ${limit / 1_000} s`);
    }
  }

  /** By what its own chmpx shows, if it runs: a last server just stops. */
  #othersServe(machine: Machine): boolean {
    const servers = this.#ring.view(machine)?.servers ?? this.#ring.truth.rows;
    return servers.some(
      ({ name, ring, live, operation, cuk }) =>
        name !== machine.id &&
        ring === 'SERVICE IN' &&
        operation !== 'ADD' &&
        (live === 'UP' || this.#ring.cuks.has(cuk)),
    );
  }
}
