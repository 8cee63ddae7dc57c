import type { RingNode } from '../../../src/ring/status.ts';
import type { Machine } from './machine.ts';

/** Where keys are placed, or will be when the merge is complete: the servers' names in order. */
export function placement(rows: readonly RingNode[], which: 'base' | 'pending'): string {
  const not = which === 'base' ? 'ADD' : 'DELETE';
  return rows
    .filter(({ ring, operation }) => ring === 'SERVICE IN' && operation !== not)
    .map(({ name }) => name)
    .join('');
}

/**
 * What no program shows, and what it is all about: whose file has all of its part of the data.
 * With AUTOMERGE only the server that changes moves data, so that nothing can be said of the others.
 */
export class Data {
  readonly #machines: readonly Machine[];
  readonly #automatic: boolean;

  constructor(machines: readonly Machine[], automatic: boolean) {
    this.#machines = machines;
    this.#automatic = automatic;
  }

  /** A ring that has served for long: all have all. */
  settle(): void {
    const now = placement(this.#rows, 'base');
    for (const machine of this.#machines) if (machine.holds) machine.dataFor = now;
  }

  /** All has come to this server that it asked for in a merge. */
  arrived(machine: Machine): void {
    machine.dataFor = placement(this.#rows, 'pending');
  }

  /** Before COMPMERGE takes effect: a server that leaves has given all it had, if all have it. */
  complete(machine: Machine): void {
    const next = placement(this.#rows, 'pending');
    const others = this.#machines.filter(({ id }) => next.includes(id));
    const isMoved = this.#automatic || others.every(({ dataFor }) => dataFor === next);
    if (machine.row.operation !== 'DELETE') machine.holds = true;
    else if (isMoved && machine.row.live === 'UP') machine.holds = false;
  }

  get #rows(): RingNode[] {
    return this.#machines.map(({ row }) => row);
  }
}

/**
 * Who lacks a part of the data that it will have to answer for when this merge is completed. In a ring
 * that is made nobody has anything to give.
 */
export function whoLacksData(
  rows: readonly RingNode[],
  data: ReadonlyMap<string, string>,
): string[] {
  const next = placement(rows, 'pending');
  const before = placement(rows, 'base');
  if (before === '' || next === before) return [];
  return rows
    .filter(({ name }) => next.includes(name) && data.get(name) !== next)
    .map((row) => row.name);
}
