import type { Clock } from '../../../src/base/clock.ts';
import type { RingNode, RingStatus } from '../../../src/ring/status.ts';
import { isOperating, unreachable, type Status } from '../../simulators/antpickax/status.ts';
import { Data } from './data.ts';
import type { Luck } from './luck.ts';
import { rowOf, statusOf, type Machine } from './machine.ts';

/** The ring as it was at one moment. */
export interface Snapshot {
  at: number;
  /** In the order of the ring. */
  rows: readonly RingNode[];
  /** `Machine.dataFor` of each row. */
  data: readonly string[];
}

/** What a ring is made with. */
export interface RingModelOptions {
  clock: Clock;
  luck: Luck;
  /** AUTOMERGE. */
  automatic: boolean;
  machines: readonly Machine[];
}

/** Nobody lags longer (ms). */
const KEPT_MS = 5_000;
/** How long a chmpx lags by the same before its luck is drawn again (ms). */
const LAG_MS = 5_000;

/**
 * The servers of one ring: their statuses, as each chmpx shows them. There is one truth, of which
 * each chmpx knows its own row at once and the others a little later.
 */
export class RingModel {
  readonly clock: Clock;
  readonly luck: Luck;
  readonly automatic: boolean;
  readonly machines: readonly Machine[];
  readonly data: Data;
  /** Whom the role has: those are in every ini. */
  readonly role = new Set<string>();
  /** The same, by their CUKs. */
  cuks: ReadonlySet<string> = new Set();
  /** Which values the role has for all servers. */
  values = 0;
  roleChangedAt = 0;
  /** Called after every change. */
  changed: () => void = () => undefined;
  #isHeld = false;
  #history: Snapshot[] = [{ at: 0, rows: [], data: [] }];
  readonly #lags = new Map<Machine, { until: number; ms: number }>();
  readonly #seenAt = new Map<Machine, number>();
  readonly #views = new Map<Machine, { of: Snapshot; own: RingNode; status: RingStatus }>();

  constructor({ clock, luck, automatic, machines }: RingModelOptions) {
    this.clock = clock;
    this.luck = luck;
    this.automatic = automatic;
    this.machines = machines;
    this.data = new Data(machines, automatic);
  }

  get now(): number {
    return this.clock.monotonic();
  }

  /** The ring as it is. */
  get truth(): Snapshot {
    return this.#history.at(-1) as Snapshot;
  }

  /** Whom a chmpx that is up can reach: those that are up as well. */
  get up(): Machine[] {
    return this.machines.filter(({ chmpx, apart }) => chmpx?.up && apart === null);
  }

  /** The server of a row. */
  machineOf({ name }: Pick<RingNode, 'name'>): Machine {
    const found = this.machines.find(({ id }) => id === name);
    if (found === undefined) throw new Error(`no server is called ${name}`);
    return found;
  }

  /** Whether somebody else is Doing or Done, as this server sees it now. */
  othersOperate(machine: Machine): boolean {
    return this.seenBy(machine).rows.some(
      (row) => row.name !== machine.id && isOperating(statusOf(row)),
    );
  }

  /** Gives a server another status, for everybody. */
  set(machine: Machine, to: Partial<Status>): void {
    const before = statusOf(machine.row);
    const next = { ...before, ...to };
    const same = (Object.keys(next) as (keyof Status)[]).every((key) => next[key] === before[key]);
    if (same) return;
    machine.row = rowOf(machine.id, next);
    this.show();
  }

  /** Somebody is in the role, or not any more. */
  setRole(id: string, isIn: boolean): void {
    if (this.role.has(id) === isIn) return;
    if (isIn) this.role.add(id);
    else this.role.delete(id);
    this.cuks = new Set(Array.from(this.role, (one) => `cuk-${one}`));
    this.roleChangedAt = this.now;
    this.show();
  }

  /** No chmpx is left that could remember those that are down. */
  forgetIfNobodyIsUp(): void {
    if (this.up.length > 0) return;
    for (const machine of this.machines) machine.row = rowOf(machine.id, unreachable);
    this.show();
  }

  /** The ring that a chmpx knows of when it looks now: the others as they were a little before. */
  seenBy(machine: Machine): Snapshot {
    // What has come to it does not go again.
    const since = Math.max(this.now - this.#lagOf(machine), this.#seenAt.get(machine) ?? 0);
    this.#seenAt.set(machine, since);
    const history = this.#history;
    let place = history.length - 1;
    while (place > 0 && (history[place] as Snapshot).at > since) place -= 1;
    return history[place] as Snapshot;
  }

  /** What chmpxstatus says on this machine; null: chmpx is not there. */
  view(machine: Machine): RingStatus | null {
    if (!machine.chmpx?.up) return null;
    if (machine.apart) return this.#cutOff(machine.chmpx.pid, machine.apart);
    const of = this.seenBy(machine);
    const known = this.#views.get(machine);
    if (known?.of === of && known.own === machine.row) return known.status;
    const self = machine.row;
    const others = of.rows.filter(({ name }) => name !== machine.id);
    const servers = [...others, self].sort((a, b) => (a.name < b.name ? -1 : 1));
    const operating = servers.some((row) => isOperating(statusOf(row)));
    const { pid } = machine.chmpx;
    const status = { chmpxPid: pid, group: 'ring', self, servers, slaves: [], operating };
    this.#views.set(machine, { of, own: self, status });
    return status;
  }

  /** Several changes that are seen as one. */
  together(change: () => void): void {
    this.#isHeld = true;
    change();
    this.#isHeld = false;
    this.show();
  }

  /** Takes the present statuses down for those who look. */
  show(): void {
    if (this.#isHeld) return;
    const listed = this.machines.filter(
      ({ id, row }) => this.role.has(id) || row.ring === 'SERVICE IN' || row.live === 'UP',
    );
    const at = this.now;
    const snapshot = {
      at,
      rows: listed.map(({ row }) => row),
      data: listed.map(({ dataFor }) => dataFor),
    };
    if (this.truth.at === at) this.#history.pop();
    this.#history.push(snapshot);
    if (this.#history.length > 64) {
      const keep = this.#history.findLastIndex((one) => one.at < at - KEPT_MS);
      if (keep > 0) this.#history = this.#history.slice(keep);
    }
    this.changed();
  }

  /** A chmpx that reaches nobody knows the others from its ini. */
  #cutOff(pid: number, self: RingNode): RingStatus {
    const servers = Array.from(this.role, (id) =>
      id === self.name ? self : rowOf(id, unreachable),
    ).sort((a, b) => (a.name < b.name ? -1 : 1));
    return { chmpxPid: pid, group: 'ring', self, servers, slaves: [], operating: false };
  }

  #lagOf(machine: Machine): number {
    const known = this.#lags.get(machine);
    if (known && this.now < known.until) return known.ms;
    const ms = this.luck.lag();
    this.#lags.set(machine, { until: this.now + LAG_MS, ms });
    return ms;
  }
}
