import type { Clock } from '../../../src/base/clock.ts';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import { IDLE, interrupted, type Leave } from '../../../src/ring/change/leave.ts';

/** What of an agent outlives it: `desired.json` of the DesiredStateStore, `leave.json` of the LeaveRecord. */
export class Disk {
  #current: DesiredState;
  #listener: () => void = () => undefined;
  #leave: Leave = IDLE;

  constructor(state: DesiredState) {
    this.#current = state;
  }

  get current(): DesiredState {
    return this.#current;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  update(change: Partial<DesiredState>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    this.#listener();
    return Promise.resolve();
  }

  keep(leave: Leave): Promise<void> {
    this.#leave = leave;
    return Promise.resolve();
  }

  /** What the last agent was at; the monotonic clock of the model goes on over agents. */
  unfinished(clock: Clock, longestMs: number): Leave {
    const leave = this.#leave;
    if ((leave.is !== 'leaving' && leave.is !== 'restarting') || leave.kind === 'restart')
      return IDLE;
    const now = clock.monotonic();
    const leftMs = Math.min(Math.max(0, leave.deadline - now), longestMs);
    return interrupted({ ...leave, deadline: now + leftMs });
  }
}
