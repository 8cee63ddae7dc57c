import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { AwaitedServers } from './awaited-servers.ts';
import { MergePatience, type PatienceTimes } from './merge-patience.ts';
import {
  nextMergeStep,
  serverKey,
  undoStep,
  type MergeGoal,
  type MergePhase,
  type MergeStep,
  type Order,
} from './merge-steps.ts';
import { statusWords, type RingNode, type RingStatus } from '../status.ts';

/** What a merge driver works with. Times in milliseconds. */
export interface MergeDriverOptions {
  readStatus: () => Promise<RingStatus | null>;
  /** Whether the server of this leader hangs, by the status that was read last; see OwnMerge. */
  ownHangs: () => boolean;
  /** Gives a command to the control port of a server; rejects when it is refused. */
  send: (order: Order) => Promise<unknown>;
  pollMs: number;
  /** How long nothing at all may move while commands are given and carried out. */
  stepMs: number;
  patience: PatienceTimes;
  /** CUKs of the servers that the role has; nothing is known of it while it is empty. */
  role: () => ReadonlySet<string>;
  clock: Clock;
  log: Logger;
}

/** How a coordinated change ended. */
export interface MergeOutcome {
  /**
   * `undone`: the ring is as it was before, open, without the change. `hung`: nobody has changed
   * place, but this leader's own server hung: it is closed until that one has started again.
   */
  result: 'done' | 'undone' | 'hung';
  /** From the first command to the end (ms), and for how long of it the ring was closed. */
  tookMs: number;
  closedMs: number;
  /** Merges that hung and were begun again. */
  aborted: number;
  /** A merge hung at the server of this leader, whose programs start again now. */
  hungItself: boolean;
}

/** While something has moved in the ring within this time (ms), */
const LIVELY_MS = 1_000;
/** it is looked at so much more often: the ring is closed meanwhile. */
const LIVELY_LOOKS = 3;
/** An order that seems to have had no effect is given again after so long (ms). */
const REPEAT_MS = 2_000;

/**
 * Leads a coordinated merge: looks at the ring, gives the commands that are next, looks again. It
 * keeps nothing but whom it has told what, so that any other agent can go on where it stopped.
 */
export class MergeDriver {
  readonly #options: MergeDriverOptions;

  constructor(options: MergeDriverOptions) {
    this.#options = options;
  }

  /**
   * Leads until the goal is reached, or until `limitMs` have passed: then the change is undone.
   * Rejects with `merge-stuck` when that does not work either, and the ring may be closed.
   */
  async run(goal: MergeGoal, limitMs: number, signal: AbortSignal): Promise<MergeOutcome> {
    const { clock, log, role } = this.#options;
    const begun = clock.monotonic();
    const lead = new Lead(this.#options, begun);
    const next = (ring: RingStatus): MergeStep =>
      nextMergeStep(ring, { goal, included: lead.included, aborted: lead.aborted, role: role() });
    const failure = await lead.follow(next, limitMs, signal);
    if (failure === null) return lead.outcome('done');
    log.warn({ goal, reason: failure }, 'a coordinated merge did not end: undoing it');
    const undo = new Lead(this.#options, begun);
    undo.hungItself = lead.hungItself;
    const back = await undo.follow((ring) => undoStep(ring, goal), limitMs, signal);
    // Out of the ring it is in nobody's way; in it the next merge would hang at it again.
    if (back === null && undo.hungItself && goal !== 'join') return undo.outcome('hung');
    const why =
      back ??
      (await undo.follow(
        (ring) =>
          nextMergeStep(ring, { goal: 'finish', included: undo.included, aborted: undo.aborted }),
        limitMs,
        signal,
      ));
    if (why === null) return undo.outcome('undone');
    throw new AgentError('merge-stuck', `the ring stays closed: ${failure}; undoing: ${why}`, {
      retryable: true,
    });
  }
}

/** One series of steps. */
class Lead {
  readonly included = new Set<string>();
  /** The merge hung at the server that leads it. */
  hungItself = false;
  readonly #options: MergeDriverOptions;
  readonly #begun: number;
  readonly #given = new Map<string, { words: string; at: number }>();
  readonly #patience: MergePatience;
  readonly #awaited = new AwaitedServers();
  #closedSince: number | null = null;
  #closedMs = 0;
  #refusal = '';

  constructor(options: MergeDriverOptions, begun: number) {
    this.#options = options;
    this.#begun = begun;
    this.#patience = new MergePatience(options.patience);
  }

  get aborted(): number {
    return this.#patience.aborted;
  }

  /** Resolves with null when it is over, with the reason when it did not get there. */
  async follow(
    next: (ring: RingStatus) => MergeStep,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { clock, pollMs, stepMs, readStatus, ownHangs, log } = this.#options;
    const limit = clock.monotonic() + limitMs;
    let moved = clock.monotonic();
    let seen = '';
    let phase: MergePhase | null = null;
    for (;;) {
      const ring = await readStatus();
      const now = clock.monotonic();
      const words = ring ? ringWords(ring) : 'no status';
      if (words !== seen) moved = now;
      seen = words;
      const step = ring ? next(ring) : null;
      if (step) this.#noteClosed(step.phase, now);
      if (step && step.phase !== phase) log.info({ phase: step.phase, ring: words }, 'merge');
      phase = step?.phase ?? phase;
      if (step?.over) return null;
      if (signal.aborted) return 'it was interrupted';
      const verdict = ring ? this.#patience.look(ring, now) : 'wait';
      // Data moves without a change of words: patience ends that.
      const still = step?.phase !== 'merging' && now - moved > stepMs;
      // Only a start of both programs cures who hangs, and this one's agent is busy here.
      const waits = step?.phase === 'merging' && step.orders.length === 0;
      const hangs = ring?.self.merge === 'Doing' && (verdict !== 'wait' || (waits && ownHangs()));
      this.hungItself ||= hangs;
      if (now > limit || still || verdict === null || hangs) {
        return `still ${phase ?? 'unknown'} (${words})${this.#refusal}`;
      }
      if (verdict === 'abort') {
        log.warn({ ring: words }, 'a merge hangs: aborting it and trying again');
      }
      if (ring && step) {
        const abort: Order = { command: 'ABORTMERGE', at: ring.self };
        await this.#give(ring, verdict === 'abort' ? [abort] : step.orders, now);
      }
      await sleep(clock, now - moved < LIVELY_MS ? pollMs / LIVELY_LOOKS : pollMs, signal);
    }
  }

  outcome(result: MergeOutcome['result']): MergeOutcome {
    const now = this.#options.clock.monotonic();
    return {
      result,
      tookMs: now - this.#begun,
      closedMs: this.#closedMs,
      aborted: this.#patience.aborted,
      hungItself: this.hungItself,
    };
  }

  async #give(ring: RingStatus, orders: readonly Order[], now: number): Promise<void> {
    const { send, log } = this.#options;
    if (orders.some(({ command }) => command === 'ABORTMERGE')) this.#awaited.aborted(ring, now);
    const waits = this.#awaited.awaited(ring, now);
    const due = orders.filter(
      (order) => !(waits && order.command === 'MERGE') && this.#isDue(order, now),
    );
    await Promise.all(
      due.map(async (order) => {
        const { command, at, names = at } = order;
        if (command === 'SERVICEOUT' && names === at) this.included.add(serverKey(at));
        try {
          await send(order);
        } catch (error) {
          this.#refusal = `; ${messageOf(error)}`;
          log.warn({ command, server: names.name, reason: messageOf(error) }, 'a command failed');
        }
      }),
    );
  }

  /** The view lags behind: what was told is not told again while nothing has changed. */
  #isDue({ command, at, names = at }: Order, now: number): boolean {
    const key = `${command} ${serverKey(names)}`;
    const words = statusWords(names);
    const last = this.#given.get(key);
    if (last?.words === words && now - last.at < REPEAT_MS) return false;
    this.#given.set(key, { words, at: now });
    return true;
  }

  #noteClosed(phase: MergePhase, now: number): void {
    if (phase !== 'quiet') this.#closedSince ??= now;
    else if (this.#closedSince !== null) {
      this.#closedMs += now - this.#closedSince;
      this.#closedSince = null;
    }
  }
}

/** All rows in short, to see whether anything moves and to log. */
export function ringWords({ servers }: RingStatus): string {
  return servers.map((node) => `${shortName(node)} ${shortWords(node)}`).join(', ');
}

function shortName({ name }: RingNode): string {
  return name.split('.')[0] ?? name;
}

function shortWords(node: RingNode): string {
  const { ring, live, operation, merge, suspended } = node;
  const parts = [
    ring === 'SERVICE IN' ? 'in' : 'out',
    live === 'DOWN' ? 'down' : '',
    operation === 'n/a' ? '' : operation.toLowerCase(),
    merge === 'Nothing' ? '' : merge.toLowerCase(),
    suspended ? 'suspended' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
