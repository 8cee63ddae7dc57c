import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { ControlPorts } from '../control/control-ports.ts';
import type { MergeMode } from '../merge-mode.ts';
import type { RingSight } from '../sight.ts';
import { Cure, type CureCommand } from './cure.ts';
import type { JoinRetry } from './join-retry.ts';
import type { Leave, LeaveKind, LeaveScene } from './leave.ts';
import type { LeaveRecord } from './leave-record.ts';
import { Leaver } from './leaver.ts';
import { MergeDriver, UNDO_MOST_MS, type MergeOutcome } from './merge-driver.ts';
import type { PatienceTimes } from './merge-patience.ts';
import type { MergeGoal } from './merge-steps.ts';
import type { Order } from './merge-order.ts';

/** What changes of the ring work with. Times in milliseconds. */
export interface RingChangesOptions {
  mode: MergeMode;
  sight: Pick<RingSight, 'look' | 'self' | 'words' | 'ringStillMs' | 'hangs'>;
  control: Pick<ControlPorts, 'send'>;
  pollMs: number;
  /** How long leaving the ring may take, undoing it included. */
  leaveLimits: Readonly<Record<LeaveKind, number>>;
  /** Keeps a leave over a crash of the agent. */
  record: Pick<LeaveRecord, 'keep'>;
  /** What the agent before this one was at. */
  unfinished: Leave;
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

/** Nothing at all moves in the ring for so long while a leader gives commands: given up (ms). */
const STEP_MS = 30_000;

/** Brings this node into its ring and out of it, by commands to control ports. */
export class RingChanges {
  readonly #options: RingChangesOptions;
  readonly #cure: Cure;
  readonly #leaver: Leaver;

  constructor(options: RingChangesOptions) {
    this.#options = options;
    const send = (order: Order): Promise<unknown> => this.#send(order);
    this.#cure = new Cure({ ...options, send });
    this.#leaver = new Leaver(
      {
        ...options,
        limits: options.leaveLimits,
        lead: (limitMs, signal) => this.#lead('leave', limitMs, signal),
        cure: this.#cure,
        send,
      },
      options.unfinished,
    );
  }

  /** A cure was sent so long ago (ms); null when none was. */
  get cureSentMs(): number | null {
    return this.#cure.sentMs;
  }

  /** How long a join that was undone must still wait, in milliseconds. */
  get joinRetryInMs(): number {
    return this.#options.retry.inMs;
  }

  /** How far this node is in leaving. */
  leaveState(scene: LeaveScene): Leave {
    return this.#leaver.state(scene);
  }

  /** The programs start: to serve, or to leave the ring with their data. */
  starting(toLeave: boolean): void {
    this.#cure.forget();
    if (!toLeave) this.#leaver.forget();
  }

  /** The wish was said again, or is another one. */
  forgive(): void {
    this.#cure.forget();
    this.#leaver.forgive();
  }

  /** Sends a command that cures this node. */
  cure(command: CureCommand): Promise<void> {
    return this.#cure.send(command);
  }

  /** Leaves the ring; see Leaver. */
  leave(
    kind: LeaveKind,
    areUp: () => boolean,
    signal: AbortSignal,
    waitsFor?: ReadonlySet<string>,
  ): Promise<void> {
    return this.#leaver.leave(kind, areUp, signal, waitsFor);
  }

  /**
   * Leads a coordinated merge until this node is in, or until the ring is quiet again.
   *
   * @throws AgentError when this node hung, the merge was undone, or the ring stays closed.
   */
  async lead(goal: 'join' | 'finish', signal: AbortSignal): Promise<void> {
    const { retry, patience } = this.#options;
    const longestMs = patience.mergeMs * patience.tries + UNDO_MOST_MS;
    // One that joins only to leave with its data has the time of its leave.
    const limitMs = Math.min(longestMs, this.#leaver.leftMs);
    const { result, why, hungItself } = await this.#lead(goal, limitMs, signal);
    if (signal.aborted) return;
    if (result === 'done') {
      retry.joined();
      return;
    }
    if (result === 'stuck') throw failed(`the ring stays closed: ${why}`);
    if (result === 'hung') {
      const what = 'this node hung in a merge, and both its programs start again';
      throw failed(`the ring is closed: ${what}`);
    }
    retry.undone(hungItself);
    throw failed('the merge was undone: the ring is open without this node');
  }

  async #lead(goal: MergeGoal, limitMs: number, signal: AbortSignal): Promise<MergeOutcome> {
    const { log } = this.#options;
    const send = (order: Order): Promise<unknown> => this.#send(order);
    const driver = new MergeDriver({ ...this.#options, send, stepMs: STEP_MS });
    const outcome = await driver.run(goal, limitMs, signal);
    const { why, ...figures } = outcome;
    log.info({ goal, ...figures, ...(why === '' ? {} : { why }) }, 'coordinated merge');
    return outcome;
  }

  async #send(order: Order): Promise<unknown> {
    const { control, sight } = this.#options;
    if (sight.self === null) throw failed('the status of this node is not known');
    return control.send(order, sight.self);
  }
}

function failed(what: string): AgentError {
  return new AgentError(what, { retryable: true });
}
