import { connect as amqpConnect, type ChannelModel, type SocketOptions } from 'amqplib';
import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';

/** Where a broker is, and as whom to enter which of its virtual hosts. */
export interface BrokerAddress {
  host: string;
  port: number;
  user: string;
  password: string;
  vhost: string;
}

interface ConnectOptions {
  /** What we ask for; the broker may ask for less. 0 switches heartbeats off. */
  heartbeatSeconds: number;
  /** Aborting it ends the attempt, or the connection, at once. */
  signal: AbortSignal;
  clock: Clock;
  log: Logger;
}

/** The longest silence of a broker while a connection is made, in milliseconds. */
const HANDSHAKE_SILENCE = 10_000;
/** How long a broker may take to agree that a connection is over, in milliseconds. */
const GOODBYE = 2_000;

/** An open connection. */
export class Connection {
  /** host:port, for log lines. */
  readonly broker: string;
  readonly model: ChannelModel;
  /** Aborted when the connection is lost or closed. */
  readonly over: AbortSignal;
  /** Resolves with the reason when `over` is aborted. */
  readonly lost: Promise<string>;
  readonly #clock: Clock;
  readonly #destroy: () => void;

  private constructor(
    broker: string,
    model: ChannelModel,
    destroy: () => void,
    { clock, log }: ConnectOptions,
  ) {
    this.broker = broker;
    this.model = model;
    this.#clock = clock;
    this.#destroy = destroy;
    const over = new AbortController();
    this.over = over.signal;
    this.lost = new Promise((resolve) => {
      // amqplib emits `error` only for some losses, and `close` for all of them.
      model.on('error', (error) => log.debug({ broker, err: error }, 'AMQP connection error'));
      model.on('close', (error) => {
        over.abort();
        // After a heartbeat timeout amqplib leaves the socket to the kernel, for minutes.
        destroy();
        resolve(error === undefined ? 'closed' : messageOf(error));
      });
    });
    model.on('blocked', (reason) =>
      log.warn({ broker, reason }, 'the broker takes no messages for now'),
    );
    model.on('unblocked', () => log.info({ broker }, 'the broker takes messages again'));
  }

  /**
   * Connects and logs in. Half-open connections are found by heartbeats (amqplib sends and checks
   * them). Throws a retryable AgentError that names the broker, never the password.
   */
  static async open(address: BrokerAddress, options: ConnectOptions): Promise<Connection> {
    const broker = `${address.host}:${address.port}`;
    const socket = new AbortController();
    const destroy = (): void => {
      socket.abort();
    };
    options.signal.addEventListener('abort', destroy, { once: true, signal: socket.signal });
    const socketOptions: SocketOptions & { signal: AbortSignal } = {
      noDelay: true, // 44 ms per RPC without it
      timeout: HANDSHAKE_SILENCE,
      signal: socket.signal,
    };
    try {
      const model = await amqpConnect(
        {
          hostname: address.host,
          port: address.port,
          username: address.user,
          password: address.password,
          vhost: encodeURIComponent(address.vhost), // amqplib decodes it
          heartbeat: options.heartbeatSeconds,
        },
        socketOptions,
      );
      return new Connection(broker, model, destroy, options);
    } catch (error) {
      destroy();
      throw new AgentError(
        'amqp-unreachable',
        `cannot open an AMQP connection to ${broker} (vhost ${address.vhost}, user ${address.user}): ${messageOf(error)}`,
        { cause: error, retryable: true },
      );
    }
  }

  /** Says goodbye to the broker, and leaves anyway when it does not answer. */
  async close(): Promise<void> {
    if (this.over.aborted) return;
    try {
      await withDeadline(this.#clock, GOODBYE, this.model.close(), () => new Error('no answer'));
    } catch {
      // It is over in either case.
    }
    this.#destroy();
  }
}
