import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { isLastServer, isUncompleted, membershipChangeRuns, mustLeaveRing } from '../ring.ts';
import type { RingSight } from '../sight.ts';
import { statusWords, type RingStatus } from '../status.ts';
import type { MergeMode } from '../merge-mode.ts';
import { before, lookBefore } from './before.ts';
import { CURE_PAUSE_MS, type Cure } from './cure.ts';
import {
  begin,
  cutShort,
  forgiven,
  gone,
  IDLE,
  out,
  settled,
  timeUp,
  type Leave,
  type LeaveKind,
  type LeaveScene,
} from './leave.ts';
import type { LeaveRecord } from './leave-record.ts';
import type { MergeOutcome } from './merge-driver.ts';
import type { Order } from './merge-order.ts';

/** What leaving the ring works with. Times in milliseconds. */
export interface LeaverOptions {
  mode: MergeMode;
  sight: Pick<RingSight, 'look' | 'words'>;
  send: (order: Order) => Promise<unknown>;
  /** Leads the coordinated merge of this leave, its undoing included. */
  lead: (limitMs: number, signal: AbortSignal) => Promise<MergeOutcome>;
  cure: Cure;
  record: Pick<LeaveRecord, 'keep'>;
  pollMs: number;
  /** How long leaving the ring may take, all tries and the undoing of the last one included. */
  limits: Readonly<Record<LeaveKind, number>>;
  /** An automatic leave that is Done, and that nobody completes for so long, gets COMPMERGE. */
  stuckAfterMs: number;
  /** How long a change of another server is waited for before one's own. */
  changeWaitMs: number;
  clock: Clock;
  log: Logger;
}

/** Servers that hung in a merge start again within this time, one after the other (ms). */
export const CURE_MS = 30_000;

/** Takes this node out of its ring: SERVICEOUT, then waiting for the merge. */
export class Leaver {
  readonly #options: LeaverOptions;
  #leave: Leave;
  #doneSince: number | null = null;

  /** @param leave what the agent before this one was at. */
  constructor(options: LeaverOptions, leave: Leave = IDLE) {
    this.#options = options;
    this.#leave = leave;
  }

  /** The state that this leave is in now. */
  state(scene: LeaveScene): Leave {
    this.#become(settled(this.#leave, scene, this.#options.clock.monotonic()));
    return this.#leave;
  }

  /** How long a leave still has whose programs start again first, in milliseconds; else Infinity. */
  get leftMs(): number {
    const { clock } = this.#options;
    if (this.#leave.is !== 'restarting') return Infinity;
    return Math.max(0, this.#leave.deadline - clock.monotonic());
  }

  /** The programs start to serve. */
  forget(): void {
    this.#become(IDLE);
  }

  /** The wish was said again, or is another one: `state` drops a leave that it does not ask for. */
  forgive(): void {
    this.#become(forgiven(this.#leave));
  }

  /**
   * Leaves within the limit of its kind. stop_db goes on when the time is up; a node that leaves for
   * good stays, because its data could not move. A restart has one try, and stays as well. Nothing
   * is over yet when this node hung in the merge itself, nor when a program crashed and it leaves
   * for good: both programs start again first.
   *
   * @param areUp whether both programs run.
   * @param waitsFor see mustLeaveRing; default nobody.
   */
  async leave(
    kind: LeaveKind,
    areUp: () => boolean,
    signal: AbortSignal,
    waitsFor: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    const { clock, pollMs, limits, mode, sight, record } = this.#options;
    const limit = limits[kind];
    let isNew = this.#leave.is === 'idle';
    const state = begin(this.#leave, kind, clock.monotonic(), limit);
    this.#become(state);
    await record.keep(state);
    const deadline = state.is === 'leaving' ? state.deadline : 0;
    const leftMs = (): number => deadline - clock.monotonic();
    // What the deadline has cut short is said by giving up.
    const late = (error: unknown): void => {
      if (leftMs() > 0) throw error;
    };
    let undone: string | null = null;
    const aborted = (): boolean => signal.aborted;
    while (!aborted()) {
      const status = await lookBefore(clock, deadline, sight);
      if (aborted()) return;
      // One that is outside when it begins, after a power cut say, has moved nothing: it joins first.
      const isOutside = isNew && kind === 'good' && status?.self.ring === 'SERVICE OUT';
      if (!areUp() || isOutside) {
        this.#become(gone(this.#leave));
        return;
      }
      isNew &&= status === null;
      // One reading that failed is no proof that the data has moved.
      if (status && !mustLeaveRing(status, waitsFor)) {
        this.#become(out(kind));
        return;
      }
      if (leftMs() <= 0 || (undone !== null && kind === 'restart')) {
        const words = status ? statusWords(status.self) : 'without a status';
        this.#giveUp(kind, undone ?? `still ${words} after ${limit / 1000} s`);
        return;
      }
      if (status && this.#mayBegin(status, limit - leftMs(), limit)) {
        if (mode === 'coordinated') {
          const { result, why } = await this.#options.lead(leftMs(), signal);
          if (aborted()) return;
          if (result === 'hung' && kind !== 'restart') {
            this.#become(cutShort(this.#leave));
            return;
          }
          undone = result === 'done' ? null : `the merge did not end: ${why}`;
          if (undone !== null && kind !== 'restart') {
            await sleep(clock, Math.min(CURE_MS, Math.max(0, leftMs())), signal);
          }
        }
        if (mode === 'automatic' && status.self.operation === 'n/a' && !isLastServer(status))
          await this.#serviceOut(status, deadline).catch(late);
      }
      if (mode === 'automatic' && status) await this.#completeLeave(status, deadline).catch(late);
      await sleep(clock, Math.min(pollMs, Math.max(0, leftMs())), signal);
    }
  }

  #become(leave: Leave): void {
    if (leave === this.#leave) return;
    this.#leave = leave;
    void this.#options.record.keep(leave);
  }

  /** See src/node/plan/completion.ts: nobody else looks while this node leaves. */
  async #completeLeave(status: RingStatus, deadline: number): Promise<void> {
    const { clock, log, stuckAfterMs, cure, sight } = this.#options;
    if (status.self.merge !== 'Done' || !isUncompleted(status)) this.#doneSince = null;
    else this.#doneSince ??= clock.monotonic();
    const { sentMs } = cure;
    if (this.#doneSince === null || (sentMs !== null && sentMs <= CURE_PAUSE_MS)) return;
    if (clock.monotonic() - this.#doneSince <= stuckAfterMs) return;
    log.info({ ring: sight.words }, 'nobody completes the leave: COMPMERGE');
    await before(clock, deadline, cure.send('COMPMERGE'));
  }

  #giveUp(kind: LeaveKind, why: string): void {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    const leave = timeUp(kind, why, now);
    this.#become(leave);
    const what =
      leave.is === 'refused' && leave.retryAt !== Infinity
        ? `nothing restarts, and it is tried again after ${(leave.retryAt - now) / 60_000} minutes`
        : 'the time is up';
    log.warn({ why }, `the ring was not left: ${what}`);
  }

  /** One change at a time; but a node that must leave soon, or has waited, begins anyway. */
  #mayBegin(status: RingStatus, spentMs: number, limitMs: number): boolean {
    const { changeWaitMs, log, sight } = this.#options;
    if (!membershipChangeRuns(status) || status.self.operation === 'DELETE') return true;
    if (spentMs < Math.min(changeWaitMs, limitMs / 2)) return false;
    log.warn({ ring: sight.words }, 'another change does not end: leaving anyway');
    return true;
  }

  async #serviceOut({ self }: RingStatus, deadline: number): Promise<void> {
    if (self.name === '' || self.seed === '') {
      throw new AgentError('chmpxstatus shows no custom id seed of this node');
    }
    const { clock, send } = this.#options;
    await before(clock, deadline, send({ command: 'SERVICEOUT', at: self }));
  }
}
