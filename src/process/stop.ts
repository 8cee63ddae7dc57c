import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { withDeadline } from '../base/wait.ts';
import type { RunningProgram } from './launcher.ts';

/** A signal and how long it is given to work, in milliseconds. */
export interface StopSignal {
  signal: NodeJS.Signals;
  waitMs: number;
}

/**
 * Ends a process: each signal in turn until it is gone. Rejects when it outlives them all, which
 * not even a stopped process does after SIGKILL (only one that hangs in the kernel).
 */
export async function stopProgram(
  program: RunningProgram,
  signals: StopSignal[],
  clock: Clock,
): Promise<void> {
  for (const { signal, waitMs } of signals) {
    program.signal(signal);
    const gone = await withDeadline(clock, waitMs, program.ended, () => new Error(signal)).then(
      () => true,
      () => false,
    );
    if (gone) return;
  }
  throw new AgentError(
    `${program.spec.name} (PID ${program.identity.pid}) did not end after ${signals.map(({ signal }) => signal).join(', ')}: look at it with ps and dmesg`,
    { retryable: true },
  );
}
