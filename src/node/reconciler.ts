import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Alarm, Changes } from '../base/wait.ts';
import type { DesiredState, DesiredStateStore } from './desired-state.ts';
import { nodeState, type NodeState } from './node-state.ts';
import type { Observed } from './observed.ts';
import { Interrupted } from './interrupted.ts';
import { plan } from './plan/plan.ts';
import type { Action, PlanTimes, Step } from './plan/step.ts';

/** The two states as they were at one moment, and what follows from them. */
export interface Snapshot {
  desired: DesiredState;
  observed: Observed;
  state: NodeState;
  step: Step;
}

/** The hands and eyes of the reconciler. */
export interface Node {
  observe(): Promise<Observed>;
  /** Does one step. `signal` aborts it when the wish has changed; it must be safe to repeat. */
  act(action: Action, signal: AbortSignal): Promise<void>;
}

/** What a reconciler works with. Times in milliseconds. */
export interface ReconcilerOptions {
  desired: DesiredStateStore;
  node: Node;
  times: PlanTimes & {
    /** Between two looks while something changes, and when nothing does. */
    changingMs: number;
    settledMs: number;
    /** After the last change the node is watched closely for so long: IN once is not final. */
    watchMs: number;
  };
  clock: Clock;
  random: Random;
  log: Logger;
  /** Called after every look at the node. */
  onLook: () => void;
}

/** What something else than the agent does after a step is mostly over by then (ms), */
const AFTER_STEP_MS = 2_000;
/** and is looked at so much more often. */
const AFTER_STEP_LOOKS = 3;
/** Pause after a step that failed: first, longest (ms). */
const FAILURE_PAUSE = { first: 200, cap: 5_000 };

/**
 * The one loop that makes this VM what it should be: look, compare, take one step, look again. It
 * knows no special cases: a crash, a reboot and an agent killed in the middle of something are all
 * just a difference between what is and what should be.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #alarm = new Alarm();
  readonly #snapshots = new Changes();
  readonly #backoff: Backoff;
  #snapshot: Snapshot | null = null;
  #interrupt: AbortController | null = null;
  #changedAt: number;
  #stateAt: number;
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(FAILURE_PAUSE, options.random);
    this.#changedAt = options.clock.monotonic();
    this.#stateAt = this.#changedAt;
    options.desired.onChange(() => this.wake());
  }

  /** The newest look at the node; null before the first. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** Something has changed: look at the node now, or as soon as the present step is over. */
  wake(): void {
    this.#changedAt = this.#options.clock.monotonic();
    this.#alarm.ring();
  }

  /** Something that does not wait: the step under way (a call to K2HR3, a merge) is given up. */
  interrupt(): void {
    this.#interrupt?.abort();
    this.wake();
  }

  /** Changes what this VM should be; resolves when the change is on disk. */
  async wish(change: Partial<DesiredState>): Promise<void> {
    await this.#options.desired.update(change);
    this.interrupt();
  }

  /** What the reconciler is at, for a person. */
  progress(): string {
    if (this.#snapshot === null) return 'starting';
    const { step, state } = this.#snapshot;
    const seconds = Math.round((this.#options.clock.monotonic() - this.#stateAt) / 1000);
    return step.kind === 'rest' ? step.why : `${step.why}; ${state} for ${seconds} s`;
  }

  /**
   * Resolves with the first snapshot, made of the present desired state, that satisfies `done`.
   * What `done` throws is the outcome. Rejects with Interrupted when the agent stops.
   */
  async until(done: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (;;) {
      if (this.#stopped) throw new Interrupted();
      const snapshot = this.#snapshot;
      if (snapshot?.desired === this.#options.desired.current && done(snapshot)) return snapshot;
      await this.nextSnapshot();
    }
  }

  /** Resolves after the next look at the node. */
  nextSnapshot(): Promise<void> {
    return this.#snapshots.wait(this.#options.clock, 60_000);
  }

  /** Reconciles until `signal` aborts. A step that is under way then is aborted too. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#options;
    while (!signal.aborted) {
      try {
        const { step } = await this.#look();
        if (step.kind === 'do') await this.#act(step, signal);
        else await this.#alarm.wait(clock, this.#pauseMs(step), signal);
        this.#backoff.reset();
      } catch (err) {
        log.warn({ err, step: this.progress() }, 'a step failed; trying again');
        await this.#alarm.wait(clock, this.#backoff.next(), signal);
      }
    }
    this.#stopped = true;
    this.#snapshots.notify();
  }

  async #look(): Promise<Snapshot> {
    const desired = this.#options.desired.current;
    const observed = await this.#options.node.observe();
    const step = plan(desired, observed, this.#options.times);
    if (step.why !== this.#snapshot?.step.why) {
      this.#changedAt = this.#options.clock.monotonic();
      this.#options.log.debug({ step: step.kind }, step.why);
    }
    const state = nodeState(desired, observed);
    const was = this.#snapshot?.state;
    if (state !== was) this.#stateAt = this.#options.clock.monotonic();
    if (state !== was) this.#options.log.info({ state, was, why: step.why }, 'node state');
    this.#snapshot = { desired, observed, state, step };
    this.#options.onLook();
    this.#snapshots.notify();
    return this.#snapshot;
  }

  async #act(step: Step & { kind: 'do' }, signal: AbortSignal): Promise<void> {
    const { log, node, desired } = this.#options;
    // Nobody could interrupt a step that was planned before the wish changed.
    if (signal.aborted || this.#snapshot?.desired !== desired.current) return;
    const { do: action, ...how } = step.action;
    log.info(Object.assign({ why: '' }, how, { why: step.why }), action); // the reason first
    const interrupt = new AbortController();
    this.#interrupt = interrupt;
    const stop = (): void => interrupt.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await node.act(step.action, interrupt.signal);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      log.debug({ step: action }, 'step given up');
    } finally {
      signal.removeEventListener('abort', stop);
      this.#interrupt = null;
    }
  }

  #pauseMs(step: Step): number {
    const { times, clock, random } = this.#options;
    const { changingMs, settledMs, watchMs } = times;
    const since = clock.monotonic() - this.#changedAt;
    if (step.kind === 'wait') {
      if (step.ms !== undefined) return Math.max(1, Math.min(step.ms, 1_000));
      return since < AFTER_STEP_MS ? changingMs / AFTER_STEP_LOOKS : changingMs;
    }
    return since < watchMs ? changingMs : settledMs * (0.9 + 0.2 * random());
  }
}
