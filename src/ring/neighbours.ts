import { connect } from 'node:net';
import type { Random } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { parseAllStatus } from './all-status.ts';
import { exchange, STALLED_ANSWER_MS } from './control/control-exchange.ts';

/** Another server of the role. */
export interface Neighbour {
  name: string;
  controlPort: number;
  /** It stands before this node in the ring. */
  before: boolean;
}

/** What is known of the other servers before this node's chmpx starts. */
export interface NeighbourView {
  /** How many have a chmpx that listens. */
  up: number;
  /** How many of those before this node have none: they start first. */
  absentBefore: number;
  /** How many that listen have not said yet that they have this node in their ini, or may not yet. */
  unaware: number;
  /** How long nobody has been unaware any more, in milliseconds; 0 while somebody is. */
  settledMs: number;
}

/** What neighbours are looked at with. Times in milliseconds. */
export interface NeighboursOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Who has not said for so long that it knows this node is not waited for any longer. */
  askLimitMs: number;
  /** After how long so many servers have read that the role has one node more. */
  roleReadMs: (servers: number) => number;
}

/** A host that does not answer for so long has no chmpx that this node could disturb (ms). */
const CONNECT_TIMEOUT_MS = 700;
/** A chmpx that has only just begun to listen has joined by then, and may be asked (ms). */
const FIRST_QUESTION_MS = 2_000;
/** From an answer to the next question to the same server (ms), up to a fifth more. */
const ASK_AGAIN_MS = 1_000;

/**
 * Which of the other servers of the role run, and whether those know this node.
 *
 * Who runs is found by connecting to the control ports and saying nothing, once for each list of
 * servers, as soon as it is known: a server that has begun to start later must not be asked
 * (docs/contracts/chmpx.md, 3.4). When none runs, the ring is being made: all agents read the role
 * twice a second then, and nobody runs with an ini that lacks this node.
 *
 * Those that ran already are asked for ALLSTATUS until they list this node; no answer means no, too.
 * A slave is listed in no answer, and an answer alone says nothing (docs/contracts/chmpx.md, 3.1): it
 * waits until they all have read the role.
 */
export class Neighbours {
  readonly #options: NeighboursOptions;
  #of = '';
  #survey: Survey | null = null;
  /** Since when, monotonic (ms), the role has this slave, as far as this agent has seen. */
  #slaveSince: number | null = null;

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  /**
   * What is known of these servers; null while they are being looked at, which this call begins.
   *
   * @param self the CUK that they should list, null for a slave, which nobody lists; undefined when
   *   they know this node and need not be asked.
   */
  look(neighbours: readonly Neighbour[], self: string | null | undefined): NeighbourView | null {
    const { clock, roleReadMs } = this.#options;
    if (self === null) this.#slaveSince ??= clock.monotonic();
    const of = JSON.stringify([neighbours, self]);
    if (of !== this.#of) {
      this.forget();
      this.#of = of;
      const readAt = (this.#slaveSince ?? 0) + roleReadMs(neighbours.length);
      this.#survey = new Survey(this.#options, neighbours, self, readAt);
    }
    return this.#survey?.view ?? null;
  }

  /** This node's chmpx runs: the next start looks anew. */
  forget(): void {
    this.#survey?.end();
    this.#of = '';
    this.#survey = null;
  }
}

/**
 * One list of servers, looked at once and asked until each knows this node; by a slave not asked, but
 * waited for until `readAt`, monotonic (ms).
 */
class Survey {
  readonly #options: NeighboursOptions;
  readonly #end = new AbortController();
  readonly #unaware = new Set<Neighbour>();
  #seen: Pick<NeighbourView, 'up' | 'absentBefore'> | null = null;
  #settledAt = 0;

  constructor(
    options: NeighboursOptions,
    neighbours: readonly Neighbour[],
    self: string | null | undefined,
    readAt: number,
  ) {
    this.#options = options;
    void this.#run(neighbours, self, readAt);
  }

  get view(): NeighbourView | null {
    if (this.#seen === null) return null;
    const unaware = this.#unaware.size;
    const settledMs = unaware > 0 ? 0 : this.#options.clock.monotonic() - this.#settledAt;
    return { ...this.#seen, unaware, settledMs };
  }

  end(): void {
    this.#end.abort();
  }

  async #run(
    neighbours: readonly Neighbour[],
    self: string | null | undefined,
    readAt: number,
  ): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#end;
    const rows = await Promise.all(
      neighbours.map(async (one) => ({ one, up: await listens(one, clock) })),
    );
    const up = rows.filter((row) => row.up).map(({ one }) => one);
    const absentBefore = rows.filter((row) => row.one.before && !row.up).length;
    if (self !== undefined) for (const one of up) this.#unaware.add(one);
    this.#seen = { up: up.length, absentBefore };
    this.#settledAt = clock.monotonic();
    if (self === undefined || up.length === 0) return;
    if (self !== null) return this.#askAll(up, self);
    const unreadMs = readAt - clock.monotonic();
    if (unreadMs > 0) await sleep(clock, unreadMs, signal);
    this.#unaware.clear();
    this.#settledAt = clock.monotonic();
  }

  async #askAll(up: readonly Neighbour[], self: string): Promise<void> {
    const { clock, random, log, askLimitMs } = this.#options;
    const { signal } = this.#end;
    const cancel = clock.after(askLimitMs, () => {
      const servers = [...this.#unaware].map(({ name }) => name);
      log.warn({ servers }, 'these servers do not say that they know this node: not waiting on');
      this.#unaware.clear();
      this.#settledAt = clock.monotonic();
      this.end();
    });
    signal.addEventListener('abort', cancel, { once: true });
    await sleep(clock, FIRST_QUESTION_MS + ASK_AGAIN_MS * 0.2 * random(), signal);
    await Promise.all(up.map((one) => this.#askUntilKnown(one, self)));
    cancel();
  }

  /** One question at a time: back to back they stall chmpx. */
  async #askUntilKnown(one: Neighbour, self: string): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#end.signal.aborted) {
      if (await knows(one, self, clock)) {
        this.#unaware.delete(one);
        this.#settledAt = clock.monotonic();
        return;
      }
      await sleep(clock, ASK_AGAIN_MS * (1 + 0.2 * random()), this.#end.signal);
    }
  }
}

async function knows(one: Neighbour, self: string, clock: Clock): Promise<boolean> {
  const where = { host: one.name, port: one.controlPort, timeoutMs: STALLED_ANSWER_MS, clock };
  try {
    const answer = await exchange('ALLSTATUS', where);
    return parseAllStatus(answer).some(({ cuk }) => cuk === self);
  } catch {
    return false;
  }
}

/** Whether somebody takes connections on a control port; nothing is said to it. */
export function listens(
  { name, controlPort }: Pick<Neighbour, 'name' | 'controlPort'>,
  clock: Clock,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: name, port: controlPort });
    const end = (answer: boolean): void => {
      cancel();
      socket.destroy();
      resolve(answer);
    };
    const cancel = clock.after(CONNECT_TIMEOUT_MS, () => {
      end(false);
    });
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}
