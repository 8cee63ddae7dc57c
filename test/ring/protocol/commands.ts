import { ControlPortError } from '../../../src/ring/control/control-exchange.ts';
import { sleep } from '../../../src/base/clock.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import { isOperating, serviceIn, serviceOut } from '../../simulators/antpickax/status.ts';
import { statusOf, type Machine } from './machine.ts';
import type { Merges } from './merges.ts';
import type { RingModel } from './ring-model.ts';

/** What a server answers to a command: its text, and what follows at each server. */
interface Answer {
  text: string;
  then?: (machine: Machine) => void;
}

const SUCCESS = 'SUCCEED';
const OPERATING = 'ERROR: Could not change status, because server is operating now.';
const NOT_ALLOWED = 'ERROR: Could not change status, because status is not allowed.';
const SOME_SERVERS =
  'ERROR: Could not change status, because some servers could not be changed its status now.';
const NO_NOTICE = 'ERROR: Failed to send status notice to other servers.';

/** An agent waits for an answer for so long (ms). */
const TIMEOUT_MS = 7_000;
const STALL_MS = 5_000;
/** From command to answer, and from the answer until the first server has been told (ms). */
const ANSWER = [5, 60] as const;
const ROUND = [10, 80] as const;

/** The control ports (docs/contracts/chmpx.md, 3.2; Request… in chmeventsock.cc of chmpx). */
export class Commands {
  readonly #ring: RingModel;
  readonly #merges: Merges;
  /** AUTOMERGE: this server has become Pending by a command. */
  onPending: (machine: Machine) => void = () => undefined;

  constructor(ring: RingModel, merges: Merges) {
    this.#ring = ring;
    this.#merges = merges;
  }

  /** Resolves with chmpx's answer, or rejects as a control port does; nothing comes from or to one that is cut off. */
  async send(by: Machine, order: Order): Promise<string> {
    const { clock, luck } = this.#ring;
    const to = this.#ring.machineOf(order.at);
    const { command } = order;
    if (to.isOff || by.apart || to.apart || luck.strikes('lostCommand'))
      return this.#timeout(command, to);
    if (!to.chmpx?.up) throw failure('unreachable', command, to, 'cannot be reached');
    const { chmpx } = to;
    await sleep(clock, luck.strikes('stall') ? STALL_MS : luck.between(...ANSWER));
    if (to.chmpx !== chmpx) throw failure('unreachable', command, to, 'cannot be reached');
    const { text, then } = this.#execute(order, to);
    if (then) this.#round(to, then);
    if (luck.strikes('lostReply')) return this.#timeout(command, to);
    if (!text.startsWith(SUCCESS)) throw failure('refused', command, to, text);
    return text;
  }

  /** From server to server, in the order of the ring. */
  #round(first: Machine, then: (machine: Machine) => void): void {
    const { clock, luck, machines } = this.#ring;
    const { hopMs } = luck.unkindness;
    const from = machines.indexOf(first);
    const order = [...machines.slice(from), ...machines.slice(0, from)];
    let ms = luck.between(...ROUND);
    if (hopMs === 0) {
      clock.after(ms, () => this.#ring.together(() => order.forEach(then)));
      return;
    }
    for (const machine of order) {
      clock.after(ms, () => then(machine));
      ms += luck.between(0, hopMs);
    }
  }

  async #timeout(command: string, to: Machine): Promise<never> {
    await sleep(this.#ring.clock, TIMEOUT_MS);
    throw failure('timeout', command, to, 'did not answer');
  }

  #execute({ command, at, names = at }: Order, to: Machine): Answer {
    switch (command) {
      case 'SERVICEIN':
        return this.#enter(to);
      case 'SERVICEOUT':
        return names.name === to.id ? this.#leave(to) : this.#expel(to, names.name);
      case 'MERGE':
        return this.#mayMerge(to)
          ? { text: SUCCESS, then: (machine) => this.#merges.start(machine) }
          : { text: SOME_SERVERS };
      case 'COMPMERGE':
        return this.#seenBy(to).some(({ merge, live }) => merge === 'Doing' && live === 'UP')
          ? { text: SOME_SERVERS }
          : { text: SUCCESS, then: (machine) => this.#merges.complete(machine) };
      case 'ABORTMERGE':
        return { text: SUCCESS, then: (machine) => this.#merges.abort(machine) };
    }
  }

  #enter(to: Machine): Answer {
    if (this.#operates(to)) return { text: OPERATING };
    const next = serviceIn(statusOf(to.row));
    if (next === undefined) return { text: NOT_ALLOWED };
    this.#ring.set(to, next);
    this.onPending(to);
    return { text: SUCCESS };
  }

  #leave(to: Machine): Answer {
    if (this.#operates(to)) return { text: OPERATING };
    const next = serviceOut(statusOf(to.row));
    if (next === undefined) return { text: NOT_ALLOWED };
    this.#ring.set(to, next);
    if (this.#ring.up.length === 1) return { text: NO_NOTICE };
    this.onPending(to);
    return { text: SUCCESS };
  }

  /** Only of one that is down; one that is up is told itself. */
  #expel(to: Machine, name: string): Answer {
    if (this.#operates(to)) return { text: OPERATING };
    const whom = this.#ring.machineOf({ name });
    const next = serviceOut(statusOf(whom.row));
    if (next === undefined || whom.row.live === 'UP') return { text: SUCCESS };
    this.#ring.set(whom, next);
    return { text: SUCCESS };
  }

  /** Not while anybody merges, nor while a server of the ring is down or without its k2hdkc. */
  #mayMerge(to: Machine): boolean {
    return this.#seenBy(to).every((row) => {
      if (isOperating(statusOf(row))) return false;
      if (row.ring !== 'SERVICE IN') return true;
      return row.live === 'UP' ? !row.suspended : row.operation !== 'n/a';
    });
  }

  #operates(to: Machine): boolean {
    return this.#seenBy(to).some((row) => isOperating(statusOf(row)));
  }

  #seenBy(to: Machine): readonly Machine['row'][] {
    return this.#ring.view(to)?.servers ?? [];
  }
}

function failure(
  kind: ControlPortError['kind'],
  command: string,
  { id }: Machine,
  what: string,
): ControlPortError {
  return new ControlPortError(kind, `${command}: control port ${id}:8021: ${what}`);
}
