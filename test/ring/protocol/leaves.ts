import { hasLeft, refusalOf, restarts } from './agent.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import { Violation } from './invariants.ts';
import type { Machine } from './machine.ts';
import type { RingModel } from './ring-model.ts';

/** A leave for good must have ended so long after it was asked for (ms): leave_limit, and the stop. */
export const LEAVE_MS = 600_000;
/** A stop_db: 10 s, the stop of chmpx by SIGKILL after 20 s, and what was under way. */
export const STOP_MS = 120_000;

/** `leave_limit`: a server that is down then, and cannot start in time, goes without its data (ms). */
const LIMIT_MS = 160_000;

interface Leave {
  since: number;
  kind: 'leave' | 'stop-db';
  /** The server was not in the ring, or not whole: its data cannot move. */
  wasDown: boolean;
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

  /** It was asked to leave for good, or to stop, while its agent was at this. */
  begins(machine: Machine, kind: Leave['kind'], snapshot: Snapshot | null | undefined): void {
    const { row, chmpx, k2hdkc } = machine;
    const isRestarting = snapshot ? restarts(snapshot) : true;
    const wasDown = isRestarting || row.ring !== 'SERVICE IN' || !chmpx?.up || !k2hdkc?.attached;
    this.#leaves.set(machine, { since: this.#ring.now, kind, wasDown });
  }

  /** This machine's agent takes it out of the role: its data must have moved. */
  unregisters(machine: Machine): void {
    const leave = this.#leaves.get(machine);
    if (leave?.kind !== 'leave') return;
    const isDown = !machine.chmpx?.up || !machine.k2hdkc?.attached;
    const isLate = this.#ring.now - leave.since > LIMIT_MS;
    if (!machine.holds || leave.wasDown || (isDown && isLate)) return;
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
      ({ name, ring, live, operation }) =>
        name !== machine.id && ring === 'SERVICE IN' && live === 'UP' && operation !== 'ADD',
    );
  }
}
