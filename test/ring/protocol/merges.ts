import { isOperating, completed, hasBaseHash } from '../../simulators/antpickax/status.ts';
import { statusOf, type Machine } from './machine.ts';
import type { RingModel } from './ring-model.ts';

/** A server that asks nobody is Done after this (ms). */
const ALONE_MS = 25;
/** A million looks for an answer that was lost (docs/merge.md; ms). */
const LOOKS_FOR_MS = 80_000;
/** A request that was lost is lost again at the next MERGE, unless the server was started again. */
const AGAIN = 0.5;

/**
 * What the servers of a ring do when they are told to merge, to complete that, or to give it up
 * (chmeventsock.cc of chmpx: MergeStart, MergeWorkerFunc, MergeComplete, MergeAbort,
 * ChangeDownSvrStatusByMerge).
 */
export class Merges {
  readonly #ring: RingModel;
  /** This server is Done, of a merge that nobody has to complete by command. */
  onDone: (machine: Machine) => void = () => undefined;

  constructor(ring: RingModel) {
    this.#ring = ring;
  }

  /** MERGE has come to a server: one that is Pending asks the others for what it will have to hold. */
  start(machine: Machine): void {
    const { ring, live, action, operation, suspended } = statusOf(machine.row);
    if (ring !== 'SERVICE IN' || operation !== 'Pending') return;
    if (live === 'DOWN' && action === 'DELETE') this.#ring.set(machine, { operation: 'Done' });
    if (live === 'UP' && !suspended) this.#begin(machine);
  }

  /** COMPMERGE has come to a server: Done is over, and Pending stays. */
  complete(machine: Machine): void {
    const { ring, live, action, operation } = statusOf(machine.row);
    const isDone = live === 'DOWN' ? action === 'DELETE' : operation === 'Done';
    if (ring !== 'SERVICE IN' || !isDone) return;
    this.#ring.data.complete(machine);
    machine.endIncoming(this.#ring.now);
    this.#ring.set(machine, completed({ ...statusOf(machine.row), operation: 'Done' }));
  }

  /** ABORTMERGE has come to a server. One that is down and was to leave is out. */
  abort(machine: Machine): void {
    const status = statusOf(machine.row);
    const { ring, live, action, suspended } = status;
    if (ring !== 'SERVICE IN') return;
    if (live === 'DOWN') {
      const out = { ring: 'SERVICE OUT', action: 'n/a', operation: 'Nothing' } as const;
      if (action === 'DELETE') this.#ring.set(machine, out);
      return;
    }
    if (isOperating(status)) machine.dataFor = '';
    machine.endIncoming(this.#ring.now);
    if (action === 'DELETE') {
      this.#ring.set(machine, { action: 'n/a', operation: suspended ? 'Nothing' : 'Pending' });
    } else if (isOperating(status)) this.#ring.set(machine, { operation: 'Pending' });
  }

  /** Its chmpx or its k2hdkc is gone: it merges no more, and gives nothing to those that asked it. */
  gone(machine: Machine): void {
    if (machine.row.merge === 'Doing') machine.dataFor = '';
    machine.endIncoming(this.#ring.now);
    const { machines, luck, now } = this.#ring;
    for (const { incoming } of machines) {
      if (!incoming?.from.has(machine)) continue;
      const { begun, ends } = incoming;
      const hasGiven = ends !== Infinity && luck.random() < (now - begun) / (ends - begun);
      if (hasGiven) incoming.from.delete(machine);
      else incoming.ends = Infinity;
    }
  }

  #begin(machine: Machine): void {
    const { machines, now, clock } = this.#ring;
    const { chmpx } = machine;
    if (chmpx === null) return;
    const gives = ({ row }: Machine): boolean =>
      row.live === 'UP' && !row.suspended && hasBaseHash(statusOf(row));
    const from = new Set(machines.filter((other) => other !== machine && gives(other)));
    machine.dataFor = '';
    const idleMs = from.size > 0 ? this.#hangsOrWaits(machine, chmpx) : 0;
    const takesMs = from.size > 0 ? idleMs + this.#moveMs() : ALONE_MS;
    const incoming = { begun: now, worksFrom: now + idleMs, ends: now + takesMs, from };
    machine.incoming = incoming;
    this.#ring.set(machine, { operation: 'Doing' });
    if (takesMs === Infinity) return;
    clock.after(takesMs, () => {
      if (machine.incoming !== incoming || incoming.ends === Infinity) return;
      this.#ring.data.arrived(machine);
      this.#ring.set(machine, { operation: 'Done' });
      this.onDone(machine);
    });
  }

  /** For how long nothing comes (ms): Infinity when it hangs. */
  #hangsOrWaits(machine: Machine, chmpx: NonNullable<Machine['chmpx']>): number {
    const { luck, now } = this.#ring;
    const next = machine.nextHang;
    machine.nextHang = null;
    if (chmpx.stuck === null && (next === 'answer' || luck.strikes('lostAnswer'))) {
      chmpx.stuck = 'answer';
      chmpx.busyUntil = now + LOOKS_FOR_MS;
    }
    if (chmpx.stuck === 'request' && luck.random() > AGAIN) chmpx.stuck = null;
    if (next === 'request' || luck.strikes('lostRequest')) chmpx.stuck ??= 'request';
    if (chmpx.stuck !== null) return Infinity;
    return luck.strikes('longMerge') ? luck.between(1_000, 15_000) : luck.between(0, 200);
  }

  #moveMs(): number {
    const { luck } = this.#ring;
    return luck.strikes('longMerge') ? luck.between(1_000, 30_000) : luck.between(100, 1_500);
  }
}
