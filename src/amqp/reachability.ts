import { randomUUID } from 'node:crypto';
import type { Random } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Changes } from '../base/wait.ts';
import { NotSent, type Publisher } from './message.ts';
import type { Topology } from './topology.ts';

/** Between two proofs, give or take a tenth (ms). */
const EVERY_MS = 180_000;
/** A message to oneself is there after so long, unless others keep this queue busy (ms). */
const ARRIVAL_MS = 60_000;
/** What tells a message to oneself from a request. */
const HEADER = 'x-k2hdkc-proof';

type Binding = Topology['bindings'][number];

/** What became of a message to oneself; unknown when the broker takes none, or the connection goes. */
type Outcome = 'arrived' | 'unknown' | { lost: string };

/** What the proofs of one connection work with. */
export interface ReachabilityParts {
  topology: Topology;
  publisher: Publisher;
  /** Declares this again; what is there already stays as it is. Rejects when that fails. */
  declare: (what: Topology) => Promise<void>;
  /** Drops the connection, so that the next one is made. */
  giveUp: (why: string) => void;
  clock: Clock;
  random: Random;
  log: Logger;
}

/**
 * Proves that this guest can be reached: an exchange or a binding can be lost at the broker while
 * connection, queues and consumers stay, and no error says so. Every few minutes a message goes to each queue
 * the way that callers' go. When one does not arrive, all is declared again; when the next one does not
 * arrive either, the connection is given up. What is written to a stream stays there: streams get no message,
 * and are declared again with their exchanges and bindings each time.
 */
export class Reachability {
  readonly #arrivals = new Changes();
  /** Deliveries so far, by queue; any of them proves its way. */
  readonly #deliveries = new Map<string, number>();
  #since = '';
  #concern: string | null = null;

  /** Why this guest cannot be reached, since when (ISO 8601); null: it can be. */
  get concern(): { text: string; since: string } | null {
    return this.#concern === null ? null : { text: this.#concern, since: this.#since };
  }

  /** Takes note of a delivery. Whether it was a message to oneself, which nothing else is to see. */
  delivered(queue: string, headers: Readonly<Record<string, unknown>>): boolean {
    this.#deliveries.set(queue, this.#count(queue) + 1);
    this.#arrivals.notify();
    return HEADER in headers;
  }

  /** Proves it again and again until `signal` aborts; at once when the last proof failed. */
  async run(parts: ReachabilityParts, signal: AbortSignal): Promise<void> {
    const { clock, random } = parts;
    let wait = this.#concern === null ? EVERY_MS * (0.9 + 0.2 * random()) : 0;
    for (;;) {
      await sleep(clock, wait, signal);
      if (signal.aborted) return;
      await this.prove(parts, signal);
      wait = EVERY_MS * (0.9 + 0.2 * random());
    }
  }

  /** One proof, and what follows when it fails. */
  async prove(parts: ReachabilityParts, signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    const first = await this.#onAllWays(parts, signal);
    if (isOver()) return;
    if (typeof first === 'string') {
      this.#note(first, parts);
      return;
    }
    parts.log.warn(
      { reason: first.lost },
      'this guest could not be reached; all is declared again',
    );
    const second = await parts.declare(parts.topology).then(
      () => this.#onAllWays(parts, signal),
      (error: unknown) => ({ lost: `declaring it again failed: ${messageOf(error)}` }),
    );
    if (isOver()) return;
    if (typeof second === 'string') {
      this.#note(second, parts);
      return;
    }
    if (this.#concern === null) this.#since = new Date(parts.clock.wall()).toISOString();
    this.#concern = `this guest cannot be reached through the broker, and Trove's calls time out: ${second.lost}; look at the exchanges and bindings there`;
    parts.giveUp(second.lost);
  }

  /** Only an arrival ends a concern. */
  #note(outcome: 'arrived' | 'unknown', { log }: ReachabilityParts): void {
    if (outcome === 'unknown') return;
    if (this.#concern !== null) log.info('this guest can be reached again');
    this.#concern = null;
  }

  /** The first way on which nothing arrives; else unknown when one of them is. */
  async #onAllWays(parts: ReachabilityParts, signal: AbortSignal): Promise<Outcome> {
    let all: Outcome = 'arrived';
    const streams = streamsOf(parts.topology);
    if (streams.queues.length > 0) {
      const failure = await parts.declare(streams).then(() => null, messageOf);
      if (signal.aborted) return 'unknown';
      if (failure !== null) return { lost: `declaring the streams again failed: ${failure}` };
    }
    for (const binding of parts.topology.bindings) {
      if (streams.bindings.includes(binding)) continue;
      const one = await this.#onWay(binding, parts, signal);
      if (signal.aborted) return 'unknown';
      if (typeof one === 'object') return one;
      if (one === 'unknown') all = one;
    }
    return all;
  }

  async #onWay(
    { queue, exchange, routingKey }: Binding,
    { publisher, clock }: ReachabilityParts,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const way = `exchange ${exchange} with key ${routingKey} to queue ${queue}`;
    const before = this.#count(queue);
    try {
      const outcome = await publisher.publish({
        exchange,
        routingKey,
        content: Buffer.from('{}'),
        properties: {
          contentType: 'application/json',
          headers: { [HEADER]: randomUUID() },
          deliveryMode: 1,
          expiration: String(ARRIVAL_MS),
        },
        mandatory: true,
      });
      if (outcome === 'returned') return { lost: `${way}: the binding is gone` };
    } catch (error) {
      return error instanceof NotSent ? 'unknown' : { lost: `${way}: ${messageOf(error)}` };
    }
    const end = clock.monotonic() + ARRIVAL_MS;
    while (this.#count(queue) === before) {
      const left = end - clock.monotonic();
      if (left <= 0) return { lost: `${way}: nothing arrived in ${ARRIVAL_MS / 1_000} s` };
      await this.#arrivals.wait(clock, left, signal);
      if (signal.aborted) return 'unknown';
    }
    return 'arrived';
  }

  #count(queue: string): number {
    return this.#deliveries.get(queue) ?? 0;
  }
}

/** The streams, with what leads to them. */
function streamsOf({ exchanges, queues, bindings }: Topology): Topology {
  const streams = queues.filter((queue) => queue.arguments['x-queue-type'] === 'stream');
  const ways = bindings.filter(({ queue }) => streams.some(({ name }) => name === queue));
  return {
    exchanges: exchanges.filter(({ name }) => ways.some(({ exchange }) => exchange === name)),
    queues: streams,
    bindings: ways,
  };
}
