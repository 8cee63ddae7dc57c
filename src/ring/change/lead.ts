import { sleep, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Alarm } from '../../base/wait.ts';
import type { RingSight } from '../sight.ts';
import type { RingStatus } from '../status.ts';
import { before, lookBefore } from './before.ts';
import { AwaitedServers } from './awaited-servers.ts';
import { GivenOrders } from './given-orders.ts';
import { MergePatience, type PatienceTimes } from './merge-patience.ts';
import type { MergePhase } from './merge-phase.ts';
import { MergeWitness } from './merge-witness.ts';
import { serverKey } from '../ring.ts';
import type { MergeLead, MergeStep } from './merge-steps.ts';
import type { Order } from './merge-order.ts';

/** What a leader works with. Times in milliseconds. */
export interface LeadOptions {
  sight: Pick<RingSight, 'look' | 'words' | 'ringStillMs' | 'hangs'>;
  /** Gives a command to the control port of a server; rejects when it is refused. */
  send: (order: Order) => Promise<unknown>;
  pollMs: number;
  /** How long nothing at all may move while commands are given and carried out. */
  stepMs: number;
  patience: PatienceTimes;
  clock: Clock;
  log: Logger;
}

/** While something has moved in the ring within this time (ms), */
const MOVING_MS = 1_000;
/** it is looked at so much more often: the ring is closed meanwhile. */
const MOVING_LOOKS = 3;

/** One series of steps that a leader takes: looks at the ring, gives the next commands, looks again. */
export class Lead {
  /** `serverKey` of the servers that stay and were sent SERVICEOUT. */
  readonly included = new Set<string>();
  readonly #options: LeadOptions;
  readonly #takesOver: boolean;
  readonly #given: GivenOrders;
  readonly #patience: MergePatience;
  readonly #awaited = new AwaitedServers();
  #witness: MergeWitness;
  #hungItself = false;
  #closedSince: number | null = null;
  #closedMs = 0;
  #refusal = '';

  /** @param takesOver it goes on where another leader has stopped, and that one's time counts. */
  constructor(options: LeadOptions, takesOver = false) {
    this.#options = options;
    this.#takesOver = takesOver;
    this.#given = new GivenOrders(options.clock);
    this.#witness = new MergeWitness(options.clock);
    this.#patience = new MergePatience(options.patience);
  }

  /** The steps that give up what this leader has begun: it still knows who joined, and whom it told. */
  undoing(): Lead {
    const undo = new Lead(this.#options);
    for (const key of this.included) undo.included.add(key);
    undo.#witness = this.#witness;
    return undo;
  }

  /** Merges that were given up, by whomever. One that undoes counts what the leader before it saw, too. */
  get givenUp(): number {
    return this.#witness.givenUp;
  }

  /** Merges that hung and were begun again, each by another server. */
  get aborted(): number {
    return this.#patience.aborted;
  }

  /** What this leader knows that statuses do not show. */
  get memory(): Omit<MergeLead, 'goal'> {
    const { included, aborted } = this;
    const stillMs = this.#options.sight.ringStillMs;
    const { joiners, gaveMerge } = this.#witness;
    return { included, aborted, joiners, gaveMerge, stillMs };
  }

  /** The merge hung at the server that leads it. */
  get hungItself(): boolean {
    return this.#hungItself;
  }

  /** For how long the ring was closed (ms). */
  get closedMs(): number {
    return this.#closedMs;
  }

  /**
   * Follows the steps until they are over, the deadline has passed, or nothing moves any more.
   *
   * @param deadline of the monotonic clock, in milliseconds.
   * @returns null when it is over, else why it did not get there.
   */
  async follow(
    next: (ring: RingStatus) => MergeStep,
    deadline: number,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { clock, pollMs, stepMs, sight, log } = this.#options;
    const begun = clock.monotonic();
    let said = '';
    let phase: MergePhase | null = null;
    for (;;) {
      const ring = await lookBefore(clock, deadline, sight);
      const now = clock.monotonic();
      if (ring) this.#witness.look(ring);
      const step = ring ? next(ring) : null;
      if (step) this.#noteClosed(step.phase, now);
      // While they merge: who is still at it.
      const news = step ? `${step.phase} ${step.phase === 'merging' ? sight.words : ''}` : said;
      if (step && news !== said) log.info({ phase: step.phase, ring: sight.words }, 'merge');
      said = news;
      phase = step?.phase ?? phase;
      if (step?.over) return null;
      if (signal.aborted) return 'it was interrupted';
      const stillMs = Math.min(sight.ringStillMs, now - begun);
      const spentMs = this.#takesOver ? sight.ringStillMs : 0;
      const verdict = ring ? this.#patience.look(ring, now, spentMs) : 'wait';
      // Data moves without a change of words: patience ends that.
      const still = step?.phase !== 'merging' && stillMs > stepMs;
      // Only a start of both programs cures a server that hangs, and this one's agent is busy here.
      const isIdle = step?.phase === 'merging' && step.orders.length === 0;
      const hangs = ring?.self.merge === 'Doing' && (verdict !== 'wait' || (isIdle && sight.hangs));
      this.#hungItself ||= hangs;
      if (now >= deadline || still || verdict === null || hangs) {
        this.#noteClosed('quiet', now); // whoever goes on counts from here
        const waits = step?.waits ? `: ${step.waits}` : '';
        return `still ${phase ?? 'unknown'}${waits} (${sight.words || 'no status'})${this.#refusal}`;
      }
      if (verdict === 'abort') {
        log.warn({ ring: sight.words }, 'a merge hangs: aborting it and trying again');
      }
      if (ring && step) {
        const abort: Order = { command: 'ABORTMERGE', at: ring.self };
        const given = this.#give(ring, verdict === 'abort' ? [abort] : step.orders, deadline);
        await this.#watch(given, deadline, signal);
      }
      const pauseMs = stillMs < MOVING_MS ? pollMs / MOVING_LOOKS : pollMs;
      await sleep(clock, Math.min(pauseMs, Math.max(0, deadline - clock.monotonic())), signal);
    }
  }

  /** A control port can take seconds for its answer, and who has joined meanwhile can be gone again. */
  async #watch(given: Promise<void>, deadline: number, signal: AbortSignal): Promise<void> {
    const { clock, pollMs, sight } = this.#options;
    const progress = { over: false };
    const ended = new Alarm();
    const end = (): void => {
      progress.over = true;
      ended.ring();
    };
    given.then(end, end);
    for (;;) {
      await ended.wait(clock, pollMs, signal);
      if (progress.over || signal.aborted) break;
      const ring = await lookBefore(clock, deadline, sight);
      if (ring) this.#witness.look(ring);
    }
    await given;
  }

  async #give(ring: RingStatus, orders: readonly Order[], deadline: number): Promise<void> {
    const { send, log, clock } = this.#options;
    const now = clock.monotonic();
    if (orders.some(({ command }) => command === 'ABORTMERGE')) {
      this.#awaited.aborted(ring, now, deadline - now);
    }
    const waits = this.#awaited.awaited(ring, now);
    const due = orders.filter(
      (order) => !(waits && order.command === 'MERGE') && this.#given.isDue(order),
    );
    await Promise.all(
      due.map(async (order) => {
        const { command, at, names = at } = order;
        if (command === 'MERGE') this.#witness.gave();
        if (command === 'SERVICEOUT' && names === at) this.included.add(serverKey(at));
        try {
          await before(clock, deadline, send(order));
        } catch (error) {
          const reason = messageOf(error);
          this.#refusal = `; ${reason}`;
          if (this.#given.isNews(order, reason)) {
            log.warn({ command, server: names.name, reason }, 'a command failed');
          }
        }
      }),
    );
  }

  #noteClosed(phase: MergePhase, now: number): void {
    if (phase !== 'quiet') this.#closedSince ??= now;
    else if (this.#closedSince !== null) {
      this.#closedMs += now - this.#closedSince;
      this.#closedSince = null;
    }
  }
}
