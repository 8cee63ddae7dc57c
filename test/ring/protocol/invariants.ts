import type { MergeMode } from '../../../src/ring/merge-mode.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import { absentServers, mergePhase } from '../../../src/ring/change/merge-phase.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { whoLacksData } from './data.ts';
import type { Machine } from './machine.ts';
import type { RingModel, Snapshot } from './ring-model.ts';
import { ringWords } from '../../../src/ring/words.ts';

/** What must never be broken, was. */
export class Violation extends Error {}

interface Given {
  at: number;
  /** What the agent that gave it saw. */
  saw: string;
  by: string;
  command: Order['command'];
  whom: string;
}

/** Two agents that want the opposite of each other with the same ring before their eyes. */
const OPPOSITES: Record<Order['command'], Order['command'][]> = {
  SERVICEIN: ['SERVICEOUT'],
  SERVICEOUT: ['SERVICEIN'],
  MERGE: ['ABORTMERGE'],
  COMPMERGE: ['ABORTMERGE'],
  ABORTMERGE: ['MERGE', 'COMPMERGE'],
};
/** Orders of two leaders that lie further apart are not of one step (ms). */
const STEP_MS = 1_000;

/**
 * Looks at every order that an agent gives. Agents have no channel to each other, and what one does is
 * seen by another a little later; but who sees the same ring must not want the opposite of it.
 */
export class OrderRules {
  readonly #ring: RingModel;
  readonly #mode: MergeMode;
  #given: Given[] = [];

  constructor(ring: RingModel, mode: MergeMode) {
    this.#ring = ring;
    this.#mode = mode;
  }

  /**
   * @param members whom the giver was in the ring with.
   * @throws Violation
   */
  given(by: Machine, { command, at, names = at }: Order, members: ReadonlySet<string>): void {
    const view = this.#ring.view(by);
    if (view === null) return;
    if (by.apart && command === 'SERVICEIN') this.#makesItsOwn(by, members);
    if (command === 'COMPMERGE') this.#complete(by, view, this.#ring.seenBy(by));
    if (this.#mode === 'coordinated') this.#begin(by, view, command);
    const saw = ringWords(view);
    const toOne = command === 'SERVICEIN' || command === 'SERVICEOUT';
    const now = this.#ring.now;
    const given = { at: now, saw, by: by.id, command, whom: toOne ? names.name : 'all' };
    this.#given = this.#given.filter((one) => now - one.at <= STEP_MS);
    // Between the ends of two merges lies the beginning of the second.
    const begun = this.#given.findLastIndex((one) => one.command === 'MERGE');
    const against = this.#given.find(
      (one, n) =>
        one.by !== given.by &&
        one.whom === given.whom &&
        one.saw === saw &&
        OPPOSITES[command].includes(one.command) &&
        (toOne || one.command === 'MERGE' || command === 'MERGE' || n > begun),
    );
    if (against) {
      throw new Violation(
        `two leaders, opposite orders: ${against.by} ${against.command}, ${by.id} ${command} ` +
          `(${given.whom}; ${saw})`,
      );
    }
    this.#given.push(given);
  }

  /** Two rings of the same servers take different values for the same keys. */
  #makesItsOwn(by: Machine, members: ReadonlySet<string>): void {
    const others = [...members].filter((cuk) => cuk !== by.row.cuk && this.#ring.cuks.has(cuk));
    if (others.length === 0) return;
    throw new Violation(`${by.id} is cut off and makes a ring without ${others.join(', ')}`);
  }

  /** MERGE is refused while a server of the role is down: what begins then closes the ring for nothing. */
  #begin(by: Machine, view: RingStatus, command: Order['command']): void {
    if (mergePhase(view) !== 'quiet' || !command.startsWith('SERVICE')) return;
    const down = absentServers(view, this.#ring.cuks);
    if (down.length === 0) return;
    const who = down.map(({ name }) => name).join(', ');
    throw new Violation(`${by.id} gives ${command}, but ${who} is down (${ringWords(view)})`);
  }

  /** COMPMERGE: nobody may lack data, as far as whoever gives it could see. */
  #complete(by: Machine, { servers }: RingStatus, { rows, data }: Snapshot): void {
    const doing = servers.filter(({ merge, live }) => merge === 'Doing' && live === 'UP');
    const known = new Map(rows.map(({ name }, n) => [name, data[n] ?? '']));
    known.set(by.id, by.dataFor);
    const lacking = this.#mode === 'coordinated' ? whoLacksData(servers, known) : [];
    const who = [...doing.map(({ name }) => name), ...lacking];
    if (who.length === 0) return;
    throw new Violation(
      `${by.id} gives COMPMERGE, but ${who.join(', ')} lacks data (${ringWords({ servers })})`,
    );
  }
}
