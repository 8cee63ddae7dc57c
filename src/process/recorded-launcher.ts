import type { Clock } from '../base/clock.ts';
import { findProgram } from './find-program.ts';
import { identify, isAlive, type ProcessIdentity } from './identity.ts';
import type { Launcher, ProcessEnd, ProgramSpec, RunningProgram } from './launcher.ts';
import { ProcessRecords, type ProcessRecord } from './records.ts';
import type { Starter } from './starter.ts';

/** What a launcher works with. */
export interface RecordedLauncherOptions {
  starter: Starter;
  /** Where the records are. */
  directory: string;
  bootId: string;
  clock: Clock;
  /** How often a process that is not our child is looked at, in milliseconds. */
  pollMs: number;
}

/** How often the output of a program is looked at (ms). */
const TIDY_MS = 10_000;

/**
 * Has programs started by a starter, remembers them on disk and finds them again: by their record,
 * by what the starter knows, or by their executable, user, command line and control group.
 */
export class RecordedLauncher implements Launcher {
  readonly #options: RecordedLauncherOptions;
  readonly #records: ProcessRecords;

  constructor(options: RecordedLauncherOptions) {
    this.#options = options;
    this.#records = new ProcessRecords(options.directory, options.bootId);
  }

  async launch(spec: ProgramSpec): Promise<RunningProgram> {
    const { starter, bootId } = this.#options;
    const { pid, ended } = await starter.start(spec);
    // One that has ended already has none; `ended` tells.
    const identity = identify(pid, bootId) ?? { pid, startTicks: 'gone', bootId };
    const { generation, readAtStart } = spec;
    await this.#records.write(spec.name, {
      identity,
      generation,
      ...(readAtStart === undefined ? {} : { readAtStart }),
    });
    return this.#running(spec, identity, ended ?? this.#untilGone(spec, identity), false);
  }

  async adopt(spec: ProgramSpec): Promise<RunningProgram | null> {
    const known = (await this.#records.read(spec.name)) ?? (await this.#findUnrecorded(spec));
    if (!known) return null;
    const { identity, ...started } = known;
    return this.#running({ ...spec, ...started }, identity, this.#untilGone(spec, identity), true);
  }

  /**
   * An agent killed between the start of a process and its record leaves one without, and so does
   * somebody who started it by hand. A second chmpx on the same ports would ruin the first
   * (docs/contracts/chmpx.md, 5.2), so it is looked for.
   */
  async #findUnrecorded(spec: ProgramSpec): Promise<ProcessRecord | null> {
    const { starter, bootId } = this.#options;
    const pid =
      (await starter.find(spec)) ?? findProgram(spec, (group) => starter.isOurGroup(spec, group));
    const identity = pid === null ? null : identify(pid, bootId);
    if (!identity) return null;
    const record = { identity, generation: spec.generation };
    await this.#records.write(spec.name, record);
    return record;
  }

  #running(
    spec: ProgramSpec,
    identity: ProcessIdentity,
    ended: Promise<ProcessEnd>,
    adopted: boolean,
  ): RunningProgram {
    const { starter } = this.#options;
    this.#keepTidy(spec, identity);
    return {
      spec,
      identity,
      adopted,
      ended,
      signal: (name) => isAlive(identity) && sendSignal(identity.pid, name),
      lastOutput: () => starter.lastOutput(spec, identity.pid),
    };
  }

  async #untilGone(spec: ProgramSpec, identity: ProcessIdentity): Promise<ProcessEnd> {
    const { clock, pollMs, starter } = this.#options;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (isAlive(identity)) clock.after(pollMs, look);
        else resolve();
      };
      look();
    });
    return starter.howEnded(spec);
  }

  #keepTidy(spec: ProgramSpec, identity: ProcessIdentity): void {
    const { clock, starter } = this.#options;
    clock.after(TIDY_MS, () => {
      if (!isAlive(identity)) return;
      void starter.tidy(spec).then(() => this.#keepTidy(spec, identity));
    });
  }
}

function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it ended in between
  }
}
