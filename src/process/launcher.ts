import type { ProcessIdentity } from './identity.ts';

/** A program to run for as long as it likes. */
export interface ProgramSpec {
  /** Short name, for records, files and log lines: `chmpx`. */
  name: string;
  command: string;
  args: string[];
  /** What its start belongs to; it is remembered with the process and given back at adoption. */
  generation: string;
}

/** How a process ended. An adopted one is not our child: its exit code is not to be had. */
export interface ProcessEnd {
  code: number | null;
  signal: string | null;
}

/** A process that runs, started by this agent or by the one before it. */
export interface RunningProgram {
  readonly spec: ProgramSpec;
  readonly identity: ProcessIdentity;
  readonly adopted: boolean;
  /** Resolves when the process is gone. */
  readonly ended: Promise<ProcessEnd>;
  /** Sends a signal; false when the process is gone already. */
  signal(name: NodeJS.Signals): boolean;
  /** The last lines it wrote, for a failure message. */
  lastOutput(): Promise<string>;
}

/**
 * Runs programs that outlive the agent. There is at most one process per name; what runs is
 * remembered on disk, so that the next agent finds it again.
 */
export interface Launcher {
  launch(spec: ProgramSpec): Promise<RunningProgram>;
  /** The process that an earlier agent left running under this name, or null. */
  adopt(spec: ProgramSpec): Promise<RunningProgram | null>;
}
