import { Backoff, type BackoffOptions, type Random } from '../base/backoff.ts';
import type { Cancel, Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';
import { Connection, type BrokerAddress } from './connection.ts';
import { ConsumerChannel, type Consumer } from './consumer-channel.ts';
import { InFlight } from './in-flight.ts';
import { keepOpen, type Series } from './keep-open.ts';
import type { OutgoingMessage, Publisher, PublishOutcome } from './message.ts';
import { PublisherChannel } from './publisher-channel.ts';
import type { Topology } from './topology.ts';

export interface AmqpSessionOptions {
  /** At least one; tried in turn, beginning anywhere, so that guests spread over the brokers. */
  brokers: readonly BrokerAddress[];
  /** Default 60. */
  heartbeatSeconds?: number;
  /** Declared on the consumers' channel, before they consume. */
  topology: Topology;
  consumers: readonly Consumer[];
  /** Unacknowledged messages per consumer. Default 0: any number. */
  prefetch?: number;
  /** Declared on the publisher's channel: the exchanges that are published to. */
  publishTopology: Topology;
  /** Delays between attempts. Default: at once, then 0.25 s doubling, never more than 5 s. */
  backoff?: BackoffOptions;
  /** How long `stop` waits for what is in flight, in milliseconds. Default 5000. */
  stopGrace?: number;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** 4 s and a quarter of jitter: 5 s at most. */
const BACKOFF: BackoffOptions = { first: 0, second: 250, cap: 4_000, jitter: 0.25 };

/**
 * An AMQP session that survives. What is lost is what is made anew, and no more:
 *
 *     a message   returned or not confirmed        the caller of `publish` hears of it
 *     a channel   closed (404, 405, 406 …), or     opened again on the same connection, with
 *                 its consumer was cancelled       its topology and consumers
 *     connection  cut, closed, silent, 504         the next broker, and both channels
 *
 * amqplib's own recovery is not used: it restores the connection and neither channels nor
 * consumers, and takes one address; with the loop that channels need anyway it would be a second
 * mechanism for the same thing.
 */
export class AmqpSession implements Publisher {
  readonly #options: AmqpSessionOptions;
  readonly #inFlight = new InFlight();
  readonly #listeners = new Set<() => void>();
  readonly #stopConsuming = new AbortController();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #connection: Connection | undefined;
  #consumers: ConsumerChannel | undefined;
  #publisher: PublisherChannel | undefined;

  constructor(options: AmqpSessionOptions) {
    this.#options = options;
  }

  /** Whether everything is up: connection, topology, consumers and publisher. */
  get connected(): boolean {
    return this.#consumers !== undefined && this.#publisher !== undefined;
  }

  /** Calls `listener` each time that everything is up (again). */
  onConnected(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to connect, and goes on for ever: a broker that is away is no error. */
  start(): void {
    this.#running ??= this.#run();
  }

  publish(message: OutgoingMessage): Promise<PublishOutcome> {
    if (this.#publisher) return this.#inFlight.track(this.#publisher.publish(message));
    return Promise.reject(
      new AgentError('amqp-not-connected', 'there is no connection to a broker', {
        retryable: true,
      }),
    );
  }

  /**
   * Takes no more messages, waits for what is in flight, deletes the queues that are marked so,
   * and closes. Unacknowledged messages go back to their queues.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  async #run(): Promise<void> {
    const { brokers, heartbeatSeconds = 60, random, clock, log } = this.#options;
    const signal = this.#stop.signal;
    let turn = Math.floor(random() * brokers.length);
    await keepOpen({
      ...this.#series('AMQP connection', signal),
      open: () => {
        const address = brokers[turn++ % brokers.length];
        if (!address) throw new AgentError('amqp-no-broker', 'no broker is configured');
        return Connection.open(address, { heartbeatSeconds, signal, clock, log });
      },
      use: (connection) => this.#serve(connection),
    });
  }

  /** Keeps both channels open for as long as the connection lives. */
  async #serve(connection: Connection): Promise<void> {
    const { topology, consumers, prefetch = 0, publishTopology, log } = this.#options;
    const { model, over, broker } = connection;
    log.info({ broker }, 'AMQP connection open');
    this.#connection = connection;
    const publishing = keepOpen({
      ...this.#series('AMQP publisher', over),
      open: () => PublisherChannel.open(model, publishTopology, log),
      use: async (channel) => {
        this.#publisher = channel;
        this.#announce();
        await channel.lost;
        this.#publisher = undefined;
      },
    });
    const consuming = keepOpen({
      ...this.#series('AMQP consumers', AbortSignal.any([over, this.#stopConsuming.signal])),
      open: () =>
        ConsumerChannel.open(model, {
          topology,
          consumers,
          prefetch,
          inFlight: this.#inFlight,
          log,
        }),
      use: async (channel) => {
        this.#consumers = channel;
        this.#announce();
        await channel.lost;
        this.#consumers = undefined;
        await channel.close();
      },
    });
    await Promise.all([publishing, consuming]);
    await connection.lost;
  }

  #series(what: string, signal: AbortSignal): Series {
    const { clock, log, random, backoff = BACKOFF } = this.#options;
    return { what, signal, clock, log, backoff: new Backoff(backoff, random) };
  }

  #announce(): void {
    if (!this.connected) return;
    this.#options.log.info('AMQP session ready');
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (err) {
        this.#options.log.error({ err }, 'a listener of the AMQP session failed');
      }
    }
  }

  async #leave(): Promise<void> {
    const { clock, log, stopGrace = 5_000 } = this.#options;
    this.#stopConsuming.abort();
    try {
      await withDeadline(clock, stopGrace, this.#finish(), () => new Error('time is up'));
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'AMQP session did not end cleanly');
    }
    await this.#connection?.close();
    this.#stop.abort();
    await this.#running;
  }

  async #finish(): Promise<void> {
    const consumers = this.#consumers;
    await consumers?.cancel();
    await this.#inFlight.idle();
    for (const { name, deleteOnStop } of this.#options.topology.queues) {
      if (deleteOnStop) await consumers?.deleteQueue(name);
    }
  }
}
