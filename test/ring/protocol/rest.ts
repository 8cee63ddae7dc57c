import { isServing } from '../../../src/ring/status.ts';
import type { Cluster } from './cluster.ts';
import { Violation } from './invariants.ts';
import type { Machine } from './machine.ts';

/**
 * So long after the last fault or wish all must be at rest (ms): a join that was undone again and again,
 * or a restart that could not leave, is tried again after 15 minutes.
 */
export const REST_MS = 1_800_000;
/**
 * So long after the last fault the ring must be open, if no server of it is down (ms): a dead leader is
 * missed after `merge_limit` while servers are Doing, the merge that follows can take as long, and a minute
 * is for turns and tries. (The longest of 20,000 runs was 370 s.)
 */
export const OPEN_MS = 660_000;

/** Nobody waits forever: the ring opens, and all come to rest. */
export class Rest {
  readonly #cluster: Cluster;
  #closedSince: number | null = null;
  #closedMs = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The longest time that the ring was closed although all its servers were up (ms). */
  get closedMs(): number {
    return this.#closedMs;
  }

  /**
   * Whether all is at rest.
   *
   * @param quietMs how long ago the last fault or wish was.
   * @throws Violation
   */
  look(quietMs: number): boolean {
    const { ring } = this.#cluster;
    if (this.#isClosed()) this.#closedSince ??= ring.now;
    else this.#closedSince = null;
    const closedMs = this.#closedSince === null ? 0 : ring.now - this.#closedSince;
    this.#closedMs = Math.max(this.#closedMs, Math.min(closedMs, quietMs));
    if (this.#closedMs > OPEN_MS) throw new Violation('the ring stays closed');
    const busy = ring.machines.filter((machine) => !this.#rests(machine));
    if (busy.length > 0 && quietMs > REST_MS) {
      const who = busy.map((machine) => `${machine.id}: ${this.#progress(machine)}`);
      throw new Violation(`no rest after ${REST_MS / 1_000} s: ${who.join('; ')}`);
    }
    return busy.length === 0;
  }

  /** Clients wait for a server that merges. While one is down nobody can merge. */
  #isClosed(): boolean {
    const rows = this.#cluster.ring.truth.rows.filter(({ ring }) => ring === 'SERVICE IN');
    const merges = rows.some(({ operation, merge }) => operation !== 'n/a' || merge !== 'Nothing');
    return merges && rows.every(({ live }) => live === 'UP');
  }

  #rests(machine: Machine): boolean {
    const { row } = machine;
    const desired = this.#cluster.desired(machine);
    if (desired === undefined) return row.ring === 'SERVICE OUT';
    const snapshot = this.#cluster.agent(machine)?.reconciler.snapshot;
    if (snapshot?.desired !== desired || snapshot.step.kind !== 'rest') return false;
    if (snapshot.state === 'serving') {
      return isServing(row) && machine.chmpx?.values === this.#cluster.ring.values;
    }
    // stop_db goes on when its time is up: the place of that server is kept.
    return row.live === 'DOWN' && (row.ring === 'SERVICE OUT' || desired.stopped !== null);
  }

  #progress(machine: Machine): string {
    return this.#cluster.agent(machine)?.reconciler.progress() ?? 'gone';
  }
}
