import {
  connect as amqpConnect,
  IllegalOperationError,
  type ChannelModel,
  type SocketOptions,
} from 'amqplib';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { withDeadline } from '../base/wait.ts';
import { dialOptions, type DialOptions, type FindAddresses } from '../host/dial.ts';
import type { BrokerAddress } from './broker-address.ts';
import { connectFailure } from './connect-failure.ts';
import { bearForeignHeaders } from './foreign-headers.ts';
import { lossReason } from './loss-reason.ts';
import { readTls, type TlsOptions } from './tls.ts';

interface ConnectOptions {
  /** After this silence the broker is taken for gone, or a little earlier; 0 = never. */
  heartbeatSeconds: number;
  /** Default: plain TCP. */
  tls?: TlsOptions | undefined;
  /** Default: getaddrinfo. */
  findAddresses?: FindAddresses | undefined;
  /** Aborting it ends the attempt, or the connection, at once. */
  signal: AbortSignal;
  clock: Clock;
  log: Logger;
}

/** How long making a connection may take, in milliseconds; RabbitMQ itself gives it no more. */
const HANDSHAKE_MS = 10_000;
/** How long a broker may take to agree that a connection is over, in milliseconds. */
const GOODBYE_MS = 2_000;
/** amqplib gives a connection up in the third interval without a byte, the broker a little earlier. */
const HEARTBEATS_IN_SILENCE = 3;

/** An open connection. */
export class Connection {
  /** host:port, for log lines. */
  readonly broker: string;
  /** Aborted when the connection is lost or closed. */
  readonly over: AbortSignal;
  /** Resolves with the reason when `over` is aborted. */
  readonly lost: Promise<string>;
  readonly #model: ChannelModel;
  readonly #clock: Clock;
  readonly #destroy: () => void;
  #end: (reason: string) => void = () => undefined;
  #blocked = false;

  private constructor(
    broker: string,
    model: ChannelModel,
    destroy: () => void,
    { clock, log }: ConnectOptions,
  ) {
    this.broker = broker;
    this.#model = model;
    this.#clock = clock;
    this.#destroy = destroy;
    const over = new AbortController();
    this.over = over.signal;
    this.lost = new Promise((resolve) => {
      this.#end = (reason) => {
        over.abort();
        // After a heartbeat timeout amqplib leaves the socket to the kernel, for minutes.
        destroy();
        resolve(reason);
      };
    });
    // amqplib emits `error` only for some losses, and `close` for all of them.
    model.on('error', (error) => log.debug({ broker, err: error }, 'AMQP connection error'));
    model.on('close', (error) =>
      this.#end(error === undefined ? 'closed' : lossReason(messageOf(error))),
    );
    model.on('blocked', (reason) => {
      this.#blocked = true;
      log.warn({ broker, reason }, 'the broker takes no messages for now; they wait here');
    });
    model.on('unblocked', () => {
      this.#blocked = false;
      log.info({ broker }, 'the broker takes messages again');
    });
  }

  /**
   * Whether the broker reads nothing for now, because it is short of memory or disk space
   * (connection.blocked). What is written meanwhile piles up in this process.
   */
  get blocked(): boolean {
    return this.#blocked;
  }

  /**
   * Connects and logs in. Half-open connections are found by heartbeats (amqplib sends and checks
   * them). Throws a retryable AgentError that names the broker and what to do, never the password.
   */
  static async open(address: BrokerAddress, options: ConnectOptions): Promise<Connection> {
    const { tls, clock } = options;
    const socket = new AbortController();
    const destroy = (): void => {
      socket.abort();
    };
    options.signal.addEventListener('abort', destroy, { once: true, signal: socket.signal });
    try {
      const connecting = logIn(address, options, socket.signal);
      const late = (): Error =>
        new Error(
          `no answer for ${HANDSHAKE_MS / 1_000} s; check host and port in transport_url, and the broker's load`,
        );
      const model = await withDeadline(clock, HANDSHAKE_MS, connecting, late);
      bearForeignHeaders(model);
      return new Connection(`${address.host}:${address.port}`, model, destroy, options);
    } catch (error) {
      destroy();
      throw connectFailure(address, tls, error);
    }
  }

  /**
   * Makes a channel. A connection that the broker closed in the same breath in which it opened it
   * is noticed here: its `close` event comes before anybody can listen.
   */
  async channel<C>(create: (model: ChannelModel) => Promise<C>): Promise<C> {
    try {
      return await create(this.#model);
    } catch (error) {
      if (error instanceof IllegalOperationError) this.#end(messageOf(error));
      throw error;
    }
  }

  /** Drops it, because the broker does not do what it must: what is open on it is lost. */
  abandon(why: string): void {
    this.#end(why);
  }

  /** Says goodbye to the broker, and leaves anyway when it does not answer. */
  async close(): Promise<void> {
    if (this.over.aborted) return;
    try {
      await withDeadline(
        this.#clock,
        GOODBYE_MS,
        this.#model.close(),
        () => new Error('no answer'),
      );
    } catch {
      // It is over in either case.
    }
    this.#destroy();
  }
}

/** Throws what Node.js and amqplib throw. */
async function logIn(
  { host, port, user, password, vhost }: BrokerAddress,
  { heartbeatSeconds, tls, findAddresses, clock }: ConnectOptions,
  signal: AbortSignal,
): Promise<ChannelModel> {
  // amqplib hands on to node:net or node:tls what it does not know.
  const socketOptions: SocketOptions & DialOptions & { signal: AbortSignal } = {
    noDelay: true, // 44 ms per RPC without it
    signal,
    ...(await dialOptions(host, { limitMs: HANDSHAKE_MS, clock, find: findAddresses })),
    ...(tls && (await readTls(tls))),
  };
  return amqpConnect(
    {
      protocol: tls ? 'amqps' : 'amqp',
      hostname: host,
      port,
      username: user,
      password,
      vhost: encodeURIComponent(vhost), // amqplib decodes it
      heartbeat: Math.ceil(heartbeatSeconds / HEARTBEATS_IN_SILENCE),
    },
    socketOptions,
  );
}
