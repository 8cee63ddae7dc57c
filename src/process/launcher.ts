import type { ProcessIdentity } from './identity.ts';

/** A program to run for as long as it likes. */
export interface ProgramSpec {
  /** Short name, for records, files, units and log lines: `chmpx`. */
  name: string;
  command: string;
  args: string[];
  /**
   * Words of `args`, in a row, that make a process of this program, run by a user of ours, ours whoever
   * started it: the option and the file of its configuration.
   */
  marks: string[];
  /** The user as whom it is started; left out: that of the agent. */
  uid?: number;
  /** What asks it to end, for who stops it without us: the shutdown of the VM. */
  stopSignal: NodeJS.Signals;
  /** The name of a program that must not be stopped before this one. */
  needs?: string;
  /** A folder whose file system must not be unmounted before it has ended. */
  folder?: string;
  /** Added to its environment. */
  environment?: Record<string, string>;
  /** What its start belongs to; it is remembered with the process and given back at adoption. */
  generation: string;
  /** What it reads when it starts and never again; remembered and given back like the generation. */
  readAtStart?: Readonly<Record<string, string>>;
}

/** How a process ended. An adopted one is not our child: its exit code is not always to be had. */
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
  /** The process of this program that runs already, whoever started it, or null. */
  adopt(spec: ProgramSpec): Promise<RunningProgram | null>;
}
