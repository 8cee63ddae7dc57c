import { Backoff } from '../base/backoff.ts';
import type { Cancel } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { withDeadline } from '../base/wait.ts';
import { Connection } from './connection.ts';
import { ConsumerChannel } from './consumer-channel.ts';
import { Failover } from './failover.ts';
import { InFlight } from './in-flight.ts';
import type { InequivalentDeclaration } from './inequivalent.ts';
import { keepOpen, type Series } from './keep-open.ts';
import { NotSent, type OutgoingMessage, type Publisher, type PublishOutcome } from './message.ts';
import { openDeclaredChannel } from './declared-channel.ts';
import { PublisherChannel } from './publisher-channel.ts';
import { Reachability } from './reachability.ts';
import { BACKOFF, type AmqpSessionOptions } from './session-options.ts';
import type { Topology } from './topology.ts';

/** How long a broker may take to confirm a message, in milliseconds. */
const CONFIRM_MS = 20_000;
/** So many messages in a row that are not confirmed in time cost the channel that they went by. */
const LATE_CONFIRMS = 3;
/**
 * How long opening a channel may take with all that is declared and consumed on it, and closing one
 * (ms). A broker that never answers may still send its heartbeats.
 */
const CHANNEL_MS = 20_000;

/**
 * An AMQP session that survives. What is lost is what is made anew, and no more:
 *
 *     a message   returned or not confirmed        the caller of `publish` hears of it
 *     a channel   closed (404, 405, 406 …), its    opened again on the same connection, with
 *                 consumer cancelled, or three     its topology and consumers
 *                 messages not confirmed
 *     connection  cut, closed, silent, 504, or no  the next broker, and both channels
 *                 answer about a channel
 *
 * amqplib's own recovery is not used: it restores the connection and neither channels nor
 * consumers, and takes one address; with the loop that channels need anyway it would be a second
 * mechanism for the same thing.
 */
export class AmqpSession implements Publisher {
  readonly #options: AmqpSessionOptions;
  readonly #inFlight = new InFlight();
  readonly #reachability = new Reachability();
  readonly #listeners = new Set<() => void>();
  readonly #stopConsuming = new AbortController();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #connection: Connection | undefined;
  #consumers: ConsumerChannel | undefined;
  #publisher: PublisherChannel | undefined;
  /** Messages since the last confirm that were not confirmed in time. */
  #unconfirmed = 0;
  /** What was said about different declarations on this connection. */
  readonly #differences = new Set<string>();

  /** The last connection was open, and lost before everything was up: one line has said why. */
  #inVain = false;

  constructor(options: AmqpSessionOptions) {
    this.#options = options;
  }

  /** Whether everything is up: connection, topology, consumers and publisher. */
  get connected(): boolean {
    return this.#consumers !== undefined && this.#publisher !== undefined;
  }

  /** Why this guest cannot be reached although it is connected, and since when; null: it can be. */
  get concern(): Reachability['concern'] {
    return this.#reachability.concern;
  }

  /** Calls `listener` now, if everything is up, and each time that it is so again. */
  onConnected(listener: () => void): Cancel {
    this.#listeners.add(listener);
    if (this.connected) this.#tellOf(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to connect, and goes on for ever: a broker that is away is no error. */
  start(): void {
    const { tls, log } = this.#options;
    if (tls && tls.caFile === undefined) {
      log.warn('TLS without ssl_ca_file: anybody can pose as the broker; set ssl_ca_file');
    }
    this.#running ??= this.#run();
  }

  /**
   * Rejects at once without a connection, and while the broker takes no messages: what cannot be
   * sent is to wait where somebody bounds it, and not in the buffers of a socket.
   */
  publish(message: OutgoingMessage): Promise<PublishOutcome> {
    const publisher = this.#publisher;
    if (!publisher) {
      return Promise.reject(new NotSent('there is no connection to a broker'));
    }
    if (this.#connection?.blocked) {
      return Promise.reject(new NotSent('the broker takes no messages for now'));
    }
    const published = publisher.publish(message).finally(() => (this.#unconfirmed = 0));
    const late = (): NotSent => {
      const why = `the broker confirmed nothing for ${CONFIRM_MS} ms`;
      if (++this.#unconfirmed >= LATE_CONFIRMS && publisher === this.#publisher) {
        this.#unconfirmed = 0;
        publisher.abandon(why);
      }
      return new NotSent(why);
    };
    return this.#inFlight.track(withDeadline(this.#options.clock, CONFIRM_MS, published, late));
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
    const {
      brokers,
      tls,
      findAddresses,
      heartbeatSeconds = 60,
      random,
      clock,
      log,
    } = this.#options;
    const signal = this.#stop.signal;
    const options = { heartbeatSeconds, tls, findAddresses, signal, clock, log };
    const failover = new Failover(brokers, Math.floor(random() * brokers.length), (err) =>
      log.warn({ err }, 'a broker was passed over'),
    );
    await keepOpen({
      ...this.#series('AMQP connection', signal),
      open: () => failover.open((address) => Connection.open(address, options), signal),
      use: (connection) => this.#serve(connection),
    });
  }

  /** Keeps both channels open for as long as the connection lives. */
  async #serve(connection: Connection): Promise<void> {
    const { topology, consumers, prefetch = 0, publishTopology, log } = this.#options;
    const { over, broker } = connection;
    log[this.#inVain ? 'debug' : 'info']({ broker }, 'AMQP connection open');
    this.#inVain = true;
    this.#connection = connection;
    this.#differences.clear();
    const onDifference = (difference: InequivalentDeclaration): void => this.#tell(difference);
    const declare = (what: Topology): Promise<void> =>
      this.#inTime(connection, declareOnce(connection, what, onDifference));
    const publishing = keepOpen({
      ...this.#series('AMQP publisher', over),
      open: () =>
        this.#inTime(connection, PublisherChannel.open(connection, publishTopology, onDifference)),
      use: async (channel) => {
        this.#publisher = channel;
        this.#announce();
        const reason = await channel.lost;
        this.#publisher = undefined;
        // An exchange is gone, and its bindings with it, of which consumers hear nothing.
        if (!isNotFound(reason)) return;
        await declare(topology).catch((error: unknown) => {
          connection.abandon(`declaring all again failed: ${messageOf(error)}`);
        });
      },
    });
    const consuming = keepOpen({
      ...this.#series('AMQP consumers', AbortSignal.any([over, this.#stopConsuming.signal])),
      open: () =>
        this.#inTime(
          connection,
          ConsumerChannel.open(connection, {
            topology,
            consumers,
            prefetch,
            inFlight: this.#inFlight,
            onDelivered: (queue, headers) => this.#reachability.delivered(queue, headers),
            onDifference,
            log,
          }),
        ),
      use: async (channel) => {
        this.#consumers = channel;
        this.#announce();
        await channel.lost;
        this.#consumers = undefined;
        await this.#inTime(connection, channel.close());
      },
    });
    const proving = this.#reachability.run(
      {
        topology,
        publisher: this,
        declare,
        giveUp: (why) => {
          connection.abandon(why);
        },
        clock: this.#options.clock,
        random: this.#options.random,
        log,
      },
      AbortSignal.any([over, this.#stopConsuming.signal]),
    );
    await Promise.all([publishing, consuming, proving]);
    await connection.lost;
  }

  /** A broker that does not answer in time is given up, and the next one tried. */
  #inTime<T>(connection: Connection, work: Promise<T>): Promise<T> {
    return withDeadline(this.#options.clock, CHANNEL_MS, work, () => {
      const why = `the broker answers nothing about a channel for ${CHANNEL_MS / 1_000} s`;
      connection.abandon(why);
      return new AgentError(why, { retryable: true });
    });
  }

  #series(what: string, signal: AbortSignal): Series {
    const { clock, log, random, backoff = BACKOFF } = this.#options;
    return { what, signal, clock, log, backoff: new Backoff(backoff, random) };
  }

  /** Once per connection: both channels declare the same exchange. */
  #tell({ what, message }: InequivalentDeclaration): void {
    if (this.#differences.has(what)) return;
    this.#differences.add(what);
    this.#options.log.error(`${message}. It is used as it is`);
  }

  #announce(): void {
    if (!this.connected) return;
    this.#inVain = false;
    this.#options.log.info('AMQP session ready');
    // A listener that joins meanwhile was called when it joined.
    const listeners = [...this.#listeners];
    for (const listener of listeners) if (this.#listeners.has(listener)) this.#tellOf(listener);
  }

  #tellOf(listener: () => void): void {
    try {
      listener();
    } catch (err) {
      this.#options.log.error({ err }, 'a listener of the AMQP session failed');
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

/** Declares all of it on a channel of its own, which a difference may cost. */
async function declareOnce(
  connection: Connection,
  topology: Topology,
  onDifference: (difference: InequivalentDeclaration) => void,
): Promise<void> {
  const { channel } = await openDeclaredChannel(
    connection,
    (model) => model.createChannel(),
    topology,
    onDifference,
  );
  await channel.close();
}

/** `Channel closed by server: 404 (NOT-FOUND) with message …`. */
function isNotFound(reason: string): boolean {
  return reason.includes('404 (NOT-FOUND)');
}
