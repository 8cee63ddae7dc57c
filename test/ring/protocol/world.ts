import pino from 'pino';
import type { Logger } from '../../../src/base/log.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import { randomFrom } from '../../helpers/random-from.ts';
import { PARAMETERS } from '../../node/builders.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import type { Agent } from './agent.ts';
import { Cluster } from './cluster.ts';
import { Happenings } from './happenings.ts';
import { OrderRules, Violation } from './invariants.ts';
import { Leaves } from './leaves.ts';
import { Luck } from './luck.ts';
import type { Machine } from './machine.ts';
import { Rest } from './rest.ts';
import type { Scenario } from './scenario.ts';
import { Transcript } from './transcript.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How often it is looked at whether all rests (ms). */
const WATCH_MS = 2_000;
/** pino's number of the level at which steps are logged. */
const INFO = 30;

/** A line of an agent's log. */
interface Line {
  level: number;
  msg: string;
  why?: string;
  reason?: string;
  err?: { message: string };
}

/** How a run ended. */
export interface Outcome {
  /** What was broken; null: nothing. */
  violation: string | null;
  /** From the last fault or wish to the rest, and the longest time that the ring was closed (ms). */
  restedMs: number;
  closedMs: number;
  transcript: Transcript;
}

/** One run: a cluster, what happens to it, and the rules that hold meanwhile. */
export class World {
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock();
  readonly #transcript: Transcript;
  readonly #cluster: Cluster;
  readonly #orders: OrderRules;
  readonly #leaves: Leaves;
  readonly #rest: Rest;
  readonly #happenings: Happenings;
  #troubledAt = 0;
  #violation: string | null = null;
  #isOver = false;

  /** @param isKept whether a transcript is kept. */
  constructor(scenario: Scenario, isKept: boolean) {
    this.#scenario = scenario;
    const clock = this.#clock;
    this.#transcript = new Transcript(() => clock.monotonic(), isKept);
    const luck = new Luck(scenario.unkindness, randomFrom(scenario.seed * 2));
    luck.onStrike = (what) => {
      this.#transcript.add(() => `bad luck: ${what}`);
      if (what !== 'unreadable' && what !== 'stall') this.#troubledAt = clock.monotonic();
    };
    const cluster = (this.#cluster = new Cluster({
      ...{ scenario, clock, luck },
      logOf: (machine) => (isKept ? this.#logOf(machine) : silentLog),
      onChange: () => this.#transcript.addRing(this.#cluster.ring.truth.rows),
      onOrder: (by, order) => this.#ordered(by, order),
      onLook: (agent, snapshot) => this.#looked(agent, snapshot),
      onUnregister: (machine) => {
        const snapshot = cluster.agent(machine)?.reconciler.snapshot;
        this.#check(() => this.#leaves.unregisters(machine, snapshot));
      },
      onLeave: (machine, kind, ms) => this.#check(() => this.#leaves.took(machine, kind, ms)),
    }));
    this.#orders = new OrderRules(cluster.ring, scenario.mode);
    const leaves = (this.#leaves = new Leaves(cluster.ring));
    this.#rest = new Rest(cluster);
    this.#happenings = new Happenings({ cluster, leaves, clock }, (what) => this.#trouble(what));
  }

  /** Lets all happen, until the cluster is at rest again or a rule is broken. */
  async run(): Promise<Outcome> {
    this.#cluster.begin();
    for (const { at, what } of this.#scenario.events) this.#happenings.at(at, what);
    this.#watch();
    await this.#clock.pass(() => this.#isOver);
    return {
      violation: this.#violation,
      restedMs: this.#clock.monotonic() - this.#troubledAt,
      closedMs: this.#rest.closedMs,
      transcript: this.#transcript,
    };
  }

  #ordered(by: Machine, order: Order): void {
    const { command, at, names = at } = order;
    const whom = command.startsWith('SERVICE') ? ` ${names.name}` : '';
    this.#transcript.add(() => `${by.id}: ${command}${whom}`);
    const members = this.#cluster.members(by);
    this.#check(() => this.#orders.given(by, order, members));
  }

  /** Trove hears that a node cannot leave: it stays what it was. */
  #looked(agent: Agent, snapshot: Snapshot): void {
    const refusal = this.#leaves.looked(agent.machine, snapshot);
    if (refusal === null) return;
    this.#trouble(`* ${agent.machine.id} cannot leave: ${refusal}`);
    void agent.wish({ shrinking: null, parameters: PARAMETERS });
  }

  #trouble(what: string): void {
    this.#troubledAt = this.#clock.monotonic();
    this.#transcript.add(() => what);
  }

  #watch(): void {
    this.#check(() => {
      this.#leaves.look();
      const isAtRest = this.#rest.look(this.#clock.monotonic() - this.#troubledAt);
      if (!isAtRest || this.#happenings.pending > 0) return;
      this.#leaves.over();
      this.#isOver = true;
    });
    if (!this.#isOver) this.#clock.after(WATCH_MS, () => this.#watch());
  }

  #check(rule: () => void): void {
    try {
      rule();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation ??= error.message;
      this.#transcript.add(() => `BROKEN: ${error.message}`);
      this.#isOver = true;
    }
  }

  /** What an agent does, and what it warns of. */
  #logOf({ id }: Machine): Logger {
    const write = (line: string): void => {
      const { level, msg, why, reason, err } = JSON.parse(line) as Line;
      const more = err?.message ?? reason ?? why;
      if (level === INFO && (why === undefined || msg === 'node state')) return;
      this.#transcript.add(() => `${id}: ${msg}${more === undefined ? '' : ` (${more})`}`);
    };
    return pino({ level: 'info', base: null, timestamp: false }, { write });
  }
}
