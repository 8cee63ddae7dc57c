import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { KeptProgram } from './kept-program.ts';

/** What a stray watch works with. */
export interface StrayWatchOptions {
  programs: Pick<KeptProgram, 'name' | 'running' | 'strays'>[];
  clock: Clock;
  log: Logger;
}

/** How often the process table is looked through (ms). */
const STRAY_LOOK_MS = 10_000;
/** So many are reported at one look: the user of the programs can start as many as it likes. */
const MOST_A_LOOK = 5;

/**
 * Sees a second chmpx or k2hdkc that somebody has started with our ini beside the one that is kept.
 * Both would listen on the same ports and ruin each other without a word
 * (docs/contracts/chmpx.md, 5.2). It is reported, once, and left to a person: only a person knows
 * why it is there.
 */
export class StrayWatch {
  readonly #options: StrayWatchOptions;
  readonly #reported = new Map<number, string>();
  #lookAt = 0;

  constructor(options: StrayWatchOptions) {
    this.#options = options;
  }

  /** Looks again if it is time. */
  look(): void {
    const { programs, clock } = this.#options;
    if (clock.monotonic() < this.#lookAt) return;
    this.#lookAt = clock.monotonic() + STRAY_LOOK_MS;
    const found = new Map<number, string>();
    let left = MOST_A_LOOK;
    for (const program of programs) {
      for (const pid of program.strays()) {
        found.set(pid, program.name);
        if (!this.#reported.has(pid) && left-- > 0) this.#report(program, pid);
      }
    }
    for (const [pid, name] of [...this.#reported]) {
      if (found.has(pid)) continue;
      this.#reported.delete(pid);
      this.#options.log.info({ program: name, pid }, 'the other one is gone');
    }
  }

  #report({ name, running }: StrayWatchOptions['programs'][number], pid: number): void {
    this.#reported.set(pid, name);
    const kept = running?.identity.pid;
    const what =
      kept === undefined
        ? `a ${name} that this agent does not keep runs with our ini`
        : `a second ${name} runs with our ini beside PID ${kept}, which is kept: two of them ruin each other`;
    this.#options.log.error({ program: name, pid }, `${what}; end it: kill -HUP ${pid}`);
  }
}
