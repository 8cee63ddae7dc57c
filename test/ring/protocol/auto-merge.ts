import { statusOf, type Machine } from './machine.ts';
import type { Commands } from './commands.ts';
import type { Hosts } from './hosts.ts';
import type { Merges } from './merges.ts';
import type { RingModel } from './ring-model.ts';
import { completed } from '../../simulators/antpickax/status.ts';

/** From Pending to MERGE (ms). */
const PHASE_MS = 25;
/** Who waits looks again after this: it sees others a little late (ms). */
const AGAIN_MS = 1_000;

/**
 * AUTOMERGE: chmpx joins when its k2hdkc has come, once in its life, and whoever is Pending merges
 * and completes by itself as soon as nobody else does.
 */
export class AutoMerge {
  readonly #ring: RingModel;
  readonly #merges: Merges;
  readonly #hasJoined = new WeakSet<NonNullable<Machine['chmpx']>>();
  readonly #completing = new Set<Machine>();
  #isLooking = false;

  constructor(ring: RingModel, merges: Merges, hosts: Hosts, commands: Commands) {
    this.#ring = ring;
    this.#merges = merges;
    hosts.onAttached = (machine) => {
      this.#attached(machine);
    };
    commands.onPending = (machine) => {
      machine.wantsMerge = true;
      this.look();
    };
    merges.onDone = (machine) => {
      this.#done(machine);
    };
  }

  /** Something has changed: somebody who waited may go on. */
  look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#ring.clock.after(PHASE_MS, () => {
      this.#isLooking = false;
      for (const machine of this.#completing) this.#complete(machine);
      for (const machine of this.#ring.machines) this.#goOn(machine);
      const isWaiting = this.#ring.machines.some(({ wantsMerge }) => wantsMerge);
      if (isWaiting) this.#ring.clock.after(AGAIN_MS, () => this.look());
    });
  }

  #attached(machine: Machine): void {
    const { chmpx, row } = machine;
    if (row.ring === 'SERVICE OUT') {
      if (chmpx === null || this.#hasJoined.has(chmpx)) return;
      this.#hasJoined.add(chmpx);
      this.#ring.set(machine, { ring: 'SERVICE IN', action: 'ADD', operation: 'Pending' });
    }
    machine.wantsMerge = true;
    this.look();
  }

  #goOn(machine: Machine): void {
    const { row, wantsMerge } = machine;
    if (row.live === 'DOWN' || row.merge === 'Nothing') machine.wantsMerge = false;
    if (!wantsMerge || this.#ring.othersOperate(machine) || row.suspended) return;
    if (row.merge !== 'Pending') return;
    machine.wantsMerge = false;
    for (const one of this.#ring.machines) this.#merges.start(one);
  }

  #done(machine: Machine): void {
    const isAlone = this.#ring.up.length === 1;
    if (!isAlone && this.#ring.luck.strikes('unfinished')) return;
    this.#completing.add(machine);
    this.look();
  }

  /** Completes by itself when nobody is Doing any more. */
  #complete(machine: Machine): void {
    const isDone = machine.row.merge === 'Done';
    if (isDone && this.#ring.machines.some(({ row }) => row.merge === 'Doing')) return;
    this.#completing.delete(machine);
    if (!isDone) return;
    this.#ring.data.complete(machine);
    this.#ring.set(machine, completed(statusOf(machine.row)));
  }
}
