import { sleep, type Clock } from '../../../src/base/clock.ts';
import type { ProgramView } from '../../../src/node/programs/kept-program.ts';
import type { Hosts } from './hosts.ts';
import type { Life, Machine, ProgramName } from './machine.ts';

/** How long chmpx may take for HUP before it is killed (`stop_wait`, ms). */
const STOP_WAIT_MS = 20_000;

/** The two programs of a machine in the hands of its agent, as KeptProgram keeps them. */
export class Programs {
  readonly #machine: Machine;
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  readonly #kept: Record<ProgramName, Life | null> = { chmpx: null, k2hdkc: null };

  constructor(machine: Machine, hosts: Hosts, clock: Clock) {
    this.#machine = machine;
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** Whether this agent knows that it runs. */
  runs(program: ProgramName): boolean {
    return this.#kept[program] !== null;
  }

  /** What the plan sees of it; null when it does not run. */
  view(program: ProgramName): ProgramView | null {
    const kept = this.#kept[program];
    if (kept === null) return null;
    return { generation: kept.generation, runningMs: this.#clock.monotonic() - kept.since };
  }

  /** Takes over one that runs already; whether there is one. */
  adopt(program: ProgramName): boolean {
    this.#kept[program] = this.#machine[program];
    return this.runs(program);
  }

  start(program: ProgramName, generation: string): void {
    if (this.adopt(program)) return;
    if (program === 'chmpx') this.#hosts.startChmpx(this.#machine, generation);
    else this.#hosts.startK2hdkc(this.#machine, generation);
    this.#kept[program] = this.#machine[program];
  }

  /** It has ended by itself; whether this agent kept it. */
  ended(program: ProgramName): boolean {
    if (!this.runs(program) || this.#machine[program] === this.#kept[program]) return false;
    this.#kept[program] = null;
    return true;
  }

  /** @param patienceMs how long the signal is given to work before SIGKILL. */
  async stop(program: ProgramName, patienceMs = STOP_WAIT_MS): Promise<void> {
    const kept = this.#kept[program];
    if (kept === null) return;
    const { chmpx } = this.#machine;
    const busyMs = program === 'chmpx' && chmpx ? chmpx.busyUntil - this.#clock.monotonic() : 0;
    const ownMs = program === 'chmpx' ? 60 + Math.max(0, busyMs) : 700;
    await sleep(this.#clock, Math.min(ownMs, patienceMs + 10));
    if (this.#machine[program] === kept) this.#hosts.end(this.#machine, program, false);
    this.#kept[program] = null;
  }
}
