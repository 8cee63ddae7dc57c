import type { Program } from './subject.ts';

/** How a program that was run ended. */
export interface Outcome {
  code: number | null;
  /** All it printed, standard output and standard error. */
  text: string;
}

/** A process that was started on a host. */
export interface HostProcess {
  /** All it has printed so far. */
  readonly text: string;
  readonly alive: boolean;
  /** As the machine of the test knows it; undefined where that is not known. */
  readonly pid?: number | undefined;
  send(signal: NodeJS.Signals): void;
  /** Resolves with how it ended; rejects when it has not within `seconds`, by default 60. */
  end(seconds?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** A machine of a ring, with an address of its own. */
export interface RingHost {
  readonly address: string;
  /**
   * What an ini calls it. A chmpx that has a name for another's address takes that for the address
   * in the ini, and then the two do not agree: the joiner stays ADD Pending for good.
   */
  readonly name: string;
  /** Environment variables for everything on it. */
  environment: Record<string, string>;
  /** Writes a file; gives the path that programs on this host know it by. */
  write(name: string, text: string): string;
  /** The path of a data file of this host. */
  dataFile(name: string): string;
  start(program: Program, words: readonly string[]): Promise<HostProcess>;
  /** Runs a program to its end, for at most `seconds`, by default 60. */
  run(program: Program, words: readonly string[], seconds?: number): Promise<Outcome>;
  /** Sends a command to a control port of the host at `address`, by default this one, from this host. */
  ask(ctlport: number, command: string, address?: string): Promise<string>;
}

/** Several hosts, which can reach each other. */
export interface RingHosts {
  add(): Promise<RingHost>;
  close(): Promise<void>;
}
