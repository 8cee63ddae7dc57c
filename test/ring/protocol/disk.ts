import type { Clock } from '../../../src/base/clock.ts';
import type { DesiredState, DesiredStateStore } from '../../../src/node/desired-state.ts';
import { IDLE, type Leave } from '../../../src/ring/change/leave.ts';
import type { LeaveRecord } from '../../../src/ring/change/leave-record.ts';

/** What of an agent outlives it: the documents of its DesiredStateStore and of its LeaveRecord. */
export interface Disk
  extends Pick<DesiredStateStore, 'current' | 'update' | 'onChange'>, Pick<LeaveRecord, 'keep'> {
  /** As RingMembers keeps it. */
  members: ReadonlySet<string>;
  /** What the last agent was at. The monotonic clock of the model goes on over agents. */
  unfinished: (clock: Clock, longestMs: number) => Leave;
}

/** The disk of one machine. */
export function createDisk(state: DesiredState): Disk {
  let current = state;
  let listener = (): void => undefined;
  let leave: Leave = IDLE;
  return {
    members: new Set(),
    get current() {
      return current;
    },
    onChange(newListener) {
      listener = newListener;
    },
    update(change) {
      current = { ...current, ...change };
      listener();
      return Promise.resolve();
    },
    keep(newLeave) {
      leave = newLeave;
      return Promise.resolve();
    },
    unfinished(clock, longestMs) {
      if (leave.is === 'left' && leave.kind === 'good') return leave;
      if (leave.is !== 'leaving' && leave.is !== 'restarting') return IDLE;
      if (leave.kind === 'restart') return IDLE;
      const now = clock.monotonic();
      const leftMs = Math.min(Math.max(0, leave.deadline - now), longestMs);
      return { ...leave, deadline: now + leftMs };
    },
  };
}
