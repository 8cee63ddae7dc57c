import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { ControlPorts } from '../control/control-ports.ts';
import type { MergeGoal, Order } from './merge-steps.ts';
import type { PatienceTimes } from './merge-patience.ts';
import { isUncompleted, membershipChangeRuns, mustLeaveRing } from '../ring.ts';
import { statusWords, type RingStatus } from '../status.ts';
import type { JoinRetry } from './join-retry.ts';
import type { MergeMode } from '../merge-mode.ts';
import { CURE_PAUSE_MS } from './cure-pause.ts';
import { MergeDriver, ringWords, type MergeOutcome } from './merge-driver.ts';

/** For stop_db, for a restart with new values, or for good. */
export type LeaveKind = 'stop' | 'restart' | 'good';

/** What changes of the ring work with. Times in milliseconds. */
export interface RingChangesOptions {
  mode: MergeMode;
  readStatus: () => Promise<RingStatus | null>;
  /** See MergeDriverOptions. */
  ownHangs: () => boolean;
  control: Pick<ControlPorts, 'send'>;
  pollMs: number;
  /** How long leaving the ring may take. */
  leaveLimits: Readonly<Record<LeaveKind, number>>;
  /** An automatic leave that is Done, and that nobody completes for so long, gets COMPMERGE. */
  stuckAfterMs: number;
  /** How long a change of another server is waited for before one's own. */
  changeWaitMs: number;
  /** Before another try of a join that was undone. */
  retry: JoinRetry;
  patience: PatienceTimes;
  /** CUKs of the servers that the role has. */
  role: () => ReadonlySet<string>;
  clock: Clock;
  log: Logger;
}

/** Servers that hung in a merge start again within this time, one after the other (ms). */
const CURE_MS = 30_000;
/** Nothing at all moves in the ring for so long while a leader gives commands: given up (ms). */
const STEP_MS = 30_000;
/** Who only wants to restart tries again to leave after so long (ms): each try can close the ring. */
const RESTART_AGAIN_MS = 900_000;

/** Brings this node into its ring and out of it, by commands to control ports. */
export class RingChanges {
  readonly #options: RingChangesOptions;
  #leaveOver = false;
  #leaveFailure: { why: string; until: number } | null = null;
  #leaveSince: number | null = null;
  #leaveLimit = 0;
  #leaveAgain = false;
  #cureAt: number | null = null;
  #doneSince: number | null = null;

  constructor(options: RingChangesOptions) {
    this.#options = options;
  }

  /** The programs stop, or stopped, without leaving the ring (again). */
  get leaveOver(): boolean {
    return this.#leaveOver;
  }

  /** Why the ring could not be left; null when it may be tried (again). */
  get leaveFailure(): string | null {
    const failure = this.#leaveFailure;
    return failure && this.#options.clock.monotonic() < failure.until ? failure.why : null;
  }

  /** The leave was cut short, and is tried again when both started again: see `leave`. */
  get leaveAgain(): boolean {
    if (!this.#leaveAgain || this.#leaveOver || this.#leaveSince === null) return false;
    return this.#options.clock.monotonic() - this.#leaveSince < this.#leaveLimit;
  }

  /** A cure was sent so long ago (ms); null when none was. */
  get cureSentMs(): number | null {
    return this.#cureAt === null ? null : this.#options.clock.monotonic() - this.#cureAt;
  }

  /** How long a join that was undone must still wait, in milliseconds. */
  get joinRetryInMs(): number {
    return this.#options.retry.inMs;
  }

  /** The programs start, or the wish has changed. */
  forget(): void {
    this.#leaveOver = false;
    this.#leaveFailure = null;
    this.#leaveSince = null;
    this.#leaveAgain = false;
    this.#cureAt = null;
  }

  /**
   * One command to this node. SERVICEIN cures SERVICE OUT under a living k2hdkc; COMPMERGE an
   * automatic merge that is Done and that nobody completes: chmpx waits for a message that came
   * before it began to wait.
   */
  async cure(command: 'SERVICEIN' | 'COMPMERGE'): Promise<void> {
    const status = await this.#options.readStatus();
    if (!status) return;
    this.#cureAt = this.#options.clock.monotonic();
    await this.#send({ command, at: status.self }, status);
  }

  /** Leads a coordinated merge until this node is in, or until the ring is quiet again. */
  async lead(goal: 'join' | 'finish', signal: AbortSignal): Promise<void> {
    const { retry } = this.#options;
    const { result, hungItself } = await this.#lead(goal, this.#longestMs, signal);
    if (signal.aborted) return;
    if (result === 'done') {
      retry.joined();
      return;
    }
    if (result === 'hung') {
      const what =
        'the ring is closed: this node hung in a merge, and both its programs start again';
      throw new AgentError('merge-hung', what, { retryable: true });
    }
    retry.undone(hungItself);
    throw new AgentError(
      'merge-undone',
      'the merge was undone: the ring is open without this node',
      {
        retryable: true,
      },
    );
  }

  /**
   * SERVICEOUT, then waiting for the merge. stop_db goes on when the time is up; who leaves for good
   * stays, because its data could not move. A restart has one try, and stays as well: it is not
   * urgent. Nothing is over yet (`leaveAgain`) when this node hung in the merge itself, nor when a
   * program crashed and it leaves for good.
   *
   * @param isUp whether chmpx runs at all.
   */
  async leave(kind: LeaveKind, isUp: () => boolean, signal: AbortSignal): Promise<void> {
    const { clock, pollMs, leaveLimits, mode, readStatus } = this.#options;
    const limit = (this.#leaveLimit = leaveLimits[kind]);
    let undone = false;
    const since = (this.#leaveSince ??= clock.monotonic());
    this.#leaveAgain = kind === 'good';
    while (!signal.aborted) {
      const status = await readStatus();
      // One reading that failed is no proof that the data has moved.
      if (status ? !mustLeaveRing(status) : !isUp()) {
        this.#leaveOver = status !== null || kind !== 'good';
        return;
      }
      const words = status ? statusWords(status.self) : 'without a status';
      const spent = clock.monotonic() - since;
      if (spent > limit || (undone && kind === 'restart')) {
        const why = undone ? 'the merge did not end' : `still ${words} after ${limit / 1000} s`;
        this.#giveUp(kind, why);
        return;
      }
      if (status && this.#mayBegin(status, spent, limit)) {
        if (mode === 'coordinated') {
          const { result } = await this.#lead('leave', limit - spent, signal);
          const left = limit - (clock.monotonic() - since);
          if (result === 'hung' && kind !== 'restart') {
            this.#leaveAgain = true;
            return;
          }
          undone = result !== 'done';
          if (undone && kind !== 'restart') await sleep(clock, Math.min(CURE_MS, left), signal);
        }
        if (mode === 'automatic' && status.self.operation === 'n/a') await this.#serviceOut(status);
      }
      if (mode === 'automatic' && status) await this.#completeLeave(status);
      await sleep(clock, pollMs, signal);
    }
  }

  /** See plan-completion.ts: nobody else looks while this node leaves. */
  async #completeLeave(status: RingStatus): Promise<void> {
    const { clock, log, stuckAfterMs } = this.#options;
    if (status.self.merge !== 'Done' || !isUncompleted(status)) this.#doneSince = null;
    else this.#doneSince ??= clock.monotonic();
    const { cureSentMs: sent } = this;
    if (this.#doneSince === null || (sent !== null && sent <= CURE_PAUSE_MS)) return;
    if (clock.monotonic() - this.#doneSince <= stuckAfterMs) return;
    log.info({ ring: ringWords(status) }, 'nobody completes the leave: COMPMERGE');
    await this.cure('COMPMERGE');
  }

  #giveUp(kind: LeaveKind, why: string): void {
    const { clock, log } = this.#options;
    const pauseMs = kind === 'restart' ? RESTART_AGAIN_MS : Infinity;
    this.#leaveSince = null;
    this.#leaveOver = kind !== 'restart';
    if (kind !== 'stop') this.#leaveFailure = { why, until: clock.monotonic() + pauseMs };
    const what =
      kind === 'restart'
        ? `nothing restarts, and it is tried again after ${pauseMs / 60_000} minutes`
        : 'the time is up';
    log.warn({ why }, `the ring was not left: ${what}`);
  }

  /** One change at a time; but who must leave soon, or has waited, begins anyway. */
  #mayBegin(status: RingStatus, spentMs: number, limitMs: number): boolean {
    const { changeWaitMs, log } = this.#options;
    if (!membershipChangeRuns(status) || status.self.operation === 'DELETE') return true;
    if (spentMs < Math.min(changeWaitMs, limitMs / 2)) return false;
    log.warn({ ring: ringWords(status) }, 'another change does not end: leaving anyway');
    return true;
  }

  async #serviceOut(status: RingStatus): Promise<void> {
    const { self } = status;
    if (self.name === '' || self.seed === '') {
      throw new AgentError('no-seed', 'chmpxstatus shows no custom id seed of this node');
    }
    await this.#send({ command: 'SERVICEOUT', at: self }, status);
  }

  async #lead(goal: MergeGoal, limitMs: number, signal: AbortSignal): Promise<MergeOutcome> {
    const { readStatus, ownHangs, pollMs, patience, role, clock, log } = this.#options;
    let ring: RingStatus | null = null;
    const driver = new MergeDriver({
      readStatus: async () => (ring = await readStatus()),
      ownHangs,
      send: async (order) => ring && this.#send(order, ring),
      pollMs,
      stepMs: STEP_MS,
      patience,
      role,
      clock,
      log,
    });
    const outcome = await driver.run(goal, limitMs, signal);
    log.info({ goal, ...outcome }, 'coordinated merge');
    return outcome;
  }

  #send(order: Order, { self }: RingStatus): Promise<string> {
    return this.#options.control.send(order, self);
  }

  /** Of a whole merge with all its tries. */
  get #longestMs(): number {
    const { mergeMs, tries } = this.#options.patience;
    return mergeMs * tries;
  }
}
