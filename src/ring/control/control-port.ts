import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import { ControlPortError, exchange, STALLED_ANSWER_MS } from './control-exchange.ts';
import { shown } from '../../ini/model/problems.ts';

export interface ControlPortOptions {
  /** CTLPORT of the chmpx that is spoken to. */
  port: number;
  clock: Clock;
  /** Default 127.0.0.1. */
  host?: string;
  /** Milliseconds for one exchange. Default STALLED_ANSWER_MS. */
  timeoutMs?: number;
  /** Milliseconds between the end of one exchange and the next. Default 100. */
  pauseMs?: number;
}

/** A server as SERVICEOUT names it: all three as chmpxstatus shows them, not as the ini has them. */
export interface ServerAddress {
  serverName: string;
  controlPort: number;
  /** CUSTOM_ID_SEED; the CUK does not do when CHMPXIDTYPE is CUSTOM. */
  seed: string;
}

/**
 * The control port of one chmpx: one command at a time, with pauses, because requests back to back
 * stall for 5 s in one of nine cases (docs/contracts/chmpx.md, 3.3). For commands to a settled node
 * only: a node that is asked anything while it joins may never reach SERVICE IN. To watch a node,
 * use `readRingStatus`.
 */
export class ControlPort {
  readonly #options: Required<ControlPortOptions>;
  /** Resolves when the exchange that was asked for last is over; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #lastEnd = -Infinity;

  constructor(options: ControlPortOptions) {
    this.#options = { host: '127.0.0.1', timeoutMs: STALLED_ANSWER_MS, pauseMs: 100, ...options };
  }

  /** What chmpx answers to ALLSTATUS. Asked once: whether it answers in time is the question. */
  allStatus(timeoutMs: number): Promise<string> {
    return this.#exchange('ALLSTATUS', timeoutMs);
  }

  /**
   * Brings this chmpx's node into the ring and returns chmpx's answer. Never sent twice. Rejects
   * with kind `refused` when it is in already, or while a merge runs.
   */
  serviceIn(): Promise<string> {
    return this.#command('SERVICEIN');
  }

  /**
   * Takes a server out of the ring, with its data moved to those that stay, and returns as soon as
   * chmpx has begun. Never sent twice, and never to be sent to the last server of a ring.
   */
  async serviceOut({ serverName, controlPort, seed }: ServerAddress): Promise<string> {
    for (const part of [serverName, seed]) {
      if (/^[A-Za-z0-9._-]+$/.test(part)) continue;
      throw new AgentError(`SERVICEOUT cannot name a server by ${shown(part)}`);
    }
    return this.#command(`SERVICEOUT ${serverName}:${controlPort}:${seed}`);
  }

  /** MERGE, COMPMERGE or ABORTMERGE: of the whole ring, whichever settled server is told. */
  merge(command: 'MERGE' | 'COMPMERGE' | 'ABORTMERGE'): Promise<string> {
    return this.#command(command);
  }

  async #command(command: string): Promise<string> {
    const answer = await this.#exchange(command);
    if (answer.startsWith('SUCCEED')) return answer;
    const text = `${command}: chmpx refused: ${shown(answer)}`;
    throw new ControlPortError('refused', text);
  }

  /** Waits for its turn and for the pause, then speaks. */
  #exchange(command: string, timeoutMs = this.#options.timeoutMs): Promise<string> {
    const { clock, pauseMs } = this.#options;
    const turn = this.#last.then(async () => {
      const pause = this.#lastEnd + pauseMs - clock.monotonic();
      if (pause > 0) await sleep(clock, pause);
      try {
        return await exchange(command, { ...this.#options, timeoutMs });
      } finally {
        this.#lastEnd = clock.monotonic();
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
