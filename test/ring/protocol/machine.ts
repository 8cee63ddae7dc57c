import type { RingNode } from '../../../src/ring/status.ts';
import { unreachable, type Status } from '../../simulators/antpickax/status.ts';

export type ProgramName = 'chmpx' | 'k2hdkc';

/** One life of a program. */
export interface Life {
  since: number;
  generation: string;
  /** Which values of the role it was started with. */
  values: number;
}

export interface Chmpx extends Life {
  pid: number;
  /** Its shared memory is there, and its ports are open. */
  up: boolean;
  /** Each merge of this life hangs: it lost an answer and looks for it, or a request was lost. */
  stuck: Hang | null;
  /** Until then it looks for the answer, uses a tenth of a core for that, and takes no HUP. */
  busyUntil: number;
}

/** How a merge hangs: the answer of its own k2hdkc was lost, or the request to that of another. */
export type Hang = 'answer' | 'request';

export interface K2hdkc extends Life {
  attached: boolean;
}

/** The part of a merge that one server has: what comes to it. */
export interface Incoming {
  begun: number;
  /** From then on k2hdkc works. */
  worksFrom: number;
  /** When all is there; Infinity: never. */
  ends: number;
  /** Who was asked, and has not given all yet. */
  from: Set<Machine>;
}

/** A virtual machine: what runs on it, and what its server is in the ring. */
export class Machine {
  readonly id: string;
  /** As all who look at once see it; `down` when nobody has heard of it. */
  row: RingNode;
  isOff = false;
  /** It boots, and reaches nobody: its own row as it sees it itself, while `row` is what the others see. */
  apart: RingNode | null = null;
  chmpx: Chmpx | null = null;
  k2hdkc: K2hdkc | null = null;
  incoming: Incoming | null = null;
  /** Its next merge hangs like this. */
  nextHang: Hang | null = null;
  /** Gives MERGE by itself as soon as nobody else merges (AUTOMERGE). */
  wantsMerge = false;
  /** The placement for which all of its part is in its file, as the servers' names; '' for none. */
  dataFor = '';
  /** The ring has keys that are only in this file. */
  holds = false;
  /** Its agent's: a program has ended by itself. */
  onEnd: (program: ProgramName) => void = () => undefined;
  /** The CPU time that merges before this one have used (ms). */
  worked = { chmpx: 0, k2hdkc: 0 };

  constructor(id: string) {
    this.id = id;
    this.row = rowOf(id, unreachable);
  }

  /** The CPU time that a program has used (ms): some 0.2 % when it does nothing. */
  cpuMs(program: ProgramName, now: number): number {
    const life = this[program];
    if (life === null) return 0;
    const idle = (now - life.since) * 0.002;
    return idle + this.worked[program] + this.#works(program, now);
  }

  /** The merge is over, or was aborted. */
  endIncoming(now: number): void {
    for (const program of ['chmpx', 'k2hdkc'] as const) {
      this.worked[program] += this.#works(program, now);
    }
    this.incoming = null;
  }

  /** What the merge under way has used. */
  #works(program: ProgramName, now: number): number {
    if (this.incoming === null || this.chmpx === null) return 0;
    const { begun, worksFrom, ends } = this.incoming;
    const { stuck, busyUntil } = this.chmpx;
    if (program === 'chmpx' && stuck === 'answer') {
      return Math.max(0, Math.min(now, busyUntil) - begun) * 0.1;
    }
    if (stuck !== null || ends === Infinity) return 0;
    return Math.max(0, Math.min(now, ends) - worksFrom) * 0.2;
  }
}

/** A row of the ring with this status. */
export function rowOf(id: string, status: Status): RingNode {
  const { ring, live, action, operation, suspended } = status;
  return {
    name: id,
    cuk: `cuk-${id}`,
    seed: `seed-${id}`,
    controlPort: 8021,
    ...{ ring, live, operation: action, merge: operation, suspended, safe: true },
  };
}

/** The status of a row, in the words of the stand-in's transitions. */
export function statusOf({ ring, live, operation, merge, suspended }: RingNode): Status {
  return { ring, live, action: operation, operation: merge, suspended };
}
