import type { ProcessEnd, ProgramSpec } from './launcher.ts';

/** A process that was just started. */
export interface Started {
  pid: number;
  /** How it ends, as its parent learns it at once; null when we are not its parent. */
  ended: Promise<ProcessEnd> | null;
}

/** One way to start processes that no end of the agent reaches: itself, or through systemd. */
export interface Starter {
  /** Rejects with what to do when the program cannot be executed. */
  start(spec: ProgramSpec): Promise<Started>;
  /** The PID under which this way knows the program to run, or null. */
  find(spec: ProgramSpec): Promise<number | null>;
  /** Whether a control group is one in which this way starts the program, and other users start nothing. */
  isOurGroup(spec: ProgramSpec, group: string): boolean;
  /** How a process that is gone ended, as far as it is known without being its parent. */
  howEnded(spec: ProgramSpec): Promise<ProcessEnd>;
  /** The last lines that the process wrote, joined to one; empty when there are none. */
  lastOutput(spec: ProgramSpec, pid: number): Promise<string>;
  /** To be called now and then while the program runs: keeps its output from filling the disk. */
  tidy(spec: ProgramSpec): Promise<void>;
}
