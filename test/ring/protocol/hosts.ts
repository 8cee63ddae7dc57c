import { down, isOperating, unreachable } from '../../simulators/antpickax/status.ts';
import { rowOf, statusOf, type Machine, type ProgramName } from './machine.ts';
import type { Merges } from './merges.ts';
import type { RingModel } from './ring-model.ts';

/** From the start of chmpx to its shared memory, and of k2hdkc to its attaching (ms). */
const CHMPX_START = [100, 250] as const;
const K2HDKC_START = [20, 450] as const;
/** What the others need to notice the end of a chmpx, and chmpx that of its k2hdkc (ms). */
const NOTICED = [20, 120] as const;
const SUSPENDED = [50, 400] as const;
/** With AUTOMERGE a server that is down is out of the ring after this (ms). */
const EVICTED_MS = 40;
/** A chmpx with its k2hdkc that reaches nobody. */
const ALONE = { ...unreachable, live: 'UP' } as const;

/** Starts and ends programs, with what follows from that in the ring. */
export class Hosts {
  readonly #ring: RingModel;
  readonly #merges: Merges;
  /** A k2hdkc has attached: chmpx joins by itself with AUTOMERGE. */
  onAttached: (machine: Machine) => void = () => undefined;
  #pids = 100;

  constructor(ring: RingModel, merges: Merges) {
    this.#ring = ring;
    this.#merges = merges;
  }

  startChmpx(machine: Machine, generation: string): void {
    const { clock, luck, now, values } = this.#ring;
    const pid = (this.#pids += 1);
    const life = { since: now, generation, values };
    const chmpx = { ...life, pid, up: false, stuck: null, busyUntil: 0 };
    machine.chmpx = chmpx;
    clock.after(luck.between(...CHMPX_START), () => {
      if (machine.chmpx === chmpx) this.#show(machine, chmpx);
    });
  }

  /** What is wrong with a ring that has data is not mended by a chmpx alone: k2hdkc comes to it. */
  startK2hdkc(machine: Machine, generation: string): void {
    const { clock, luck, now, values } = this.#ring;
    const k2hdkc = { since: now, generation, values, attached: false };
    machine.k2hdkc = k2hdkc;
    clock.after(luck.between(...K2HDKC_START), () => {
      if (machine.k2hdkc !== k2hdkc) return;
      if (machine.chmpx?.up) this.#attach(machine);
      else this.end(machine, 'k2hdkc', true);
    });
  }

  /** @param byItself its agent hears of it as of a crash. */
  end(machine: Machine, program: ProgramName, byItself: boolean): void {
    if (machine[program] === null) return;
    const { clock, luck } = this.#ring;
    machine.worked[program] = 0;
    if (program === 'chmpx') {
      machine.chmpx = null;
      clock.after(luck.between(...NOTICED), () => {
        if (!machine.chmpx?.up) this.#isDown(machine);
      });
    } else {
      const k2hdkc = machine.k2hdkc;
      machine.k2hdkc = null;
      clock.after(luck.between(...SUSPENDED), () => {
        const isBack = machine.k2hdkc !== null && machine.k2hdkc !== k2hdkc;
        if (machine.chmpx?.up && !isBack) this.#isSuspended(machine);
      });
    }
    if (byItself) clock.after(1, () => machine.onEnd(program));
  }

  /** The VM is gone, at once. */
  switchOff(machine: Machine): void {
    machine.isOff = true;
    this.end(machine, 'k2hdkc', false);
    this.end(machine, 'chmpx', false);
  }

  /** The VM, which is off, will reach nobody when it is on. */
  cutOff(machine: Machine): void {
    machine.apart = rowOf(machine.id, unreachable);
  }

  /** It reaches the others: its chmpx comes to them as if it had just started. */
  connect(machine: Machine): void {
    machine.apart = null;
    const { chmpx, k2hdkc } = machine;
    if (!chmpx?.up) return;
    this.#show(machine, chmpx);
    if (k2hdkc?.attached) this.#attach(machine);
  }

  /** A server that serves, as if it had done so for long. */
  place(machine: Machine, generation: string): void {
    const { now, values } = this.#ring;
    const life = { since: now - 600_000, generation, values };
    const pid = (this.#pids += 1);
    machine.chmpx = { ...life, pid, up: true, stuck: null, busyUntil: 0 };
    machine.k2hdkc = { ...life, attached: true };
    machine.holds = true;
    this.#ring.set(machine, { ring: 'SERVICE IN', live: 'UP' });
  }

  /** The others have kept its place, if it had one; else it waits outside. */
  #show(machine: Machine, chmpx: NonNullable<Machine['chmpx']>): void {
    chmpx.up = true;
    if (machine.apart) {
      machine.apart = rowOf(machine.id, { ...ALONE, suspended: machine.k2hdkc === null });
      this.#ring.changed();
      return;
    }
    if (machine.row.live === 'UP') this.#isDown(machine);
    const { ring, action } = statusOf(machine.row);
    const isKept = ring === 'SERVICE IN' && this.#ring.up.length > 1;
    const operation = isKept && action === 'DELETE' ? 'Pending' : 'Nothing';
    this.#ring.set(machine, {
      ring: isKept ? 'SERVICE IN' : 'SERVICE OUT',
      action: isKept ? action : 'n/a',
      live: 'UP',
      operation,
      suspended: true,
    });
  }

  #attach(machine: Machine): void {
    if (machine.k2hdkc) machine.k2hdkc.attached = true;
    if (machine.apart) {
      machine.apart = rowOf(machine.id, ALONE);
      this.#ring.changed();
      return;
    }
    const { ring, action, operation } = statusOf(machine.row);
    const isBack = ring === 'SERVICE IN' && action === 'n/a' && operation === 'Nothing';
    this.#ring.set(machine, { suspended: false, ...(isBack && { operation: 'Pending' }) });
    this.onAttached(machine);
  }

  #isDown(machine: Machine): void {
    this.#merges.gone(machine);
    const status = statusOf(machine.row);
    if (status.live === 'UP') this.#ring.set(machine, down(status));
    this.#ring.forgetIfNobodyIsUp();
    if (!this.#ring.automatic) return;
    this.#ring.clock.after(EVICTED_MS, () => {
      if (machine.chmpx?.up) return;
      const out = { ring: 'SERVICE OUT', action: 'n/a', operation: 'Nothing' } as const;
      this.#ring.set(machine, out);
    });
  }

  #isSuspended(machine: Machine): void {
    this.#merges.gone(machine);
    const status = statusOf(machine.row);
    const operation = isOperating(status) ? 'Pending' : status.operation;
    this.#ring.set(machine, { suspended: true, operation });
  }
}
