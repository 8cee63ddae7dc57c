import { connect, type Channel, type ChannelModel } from 'amqplib';
import pino from 'pino';
import { expect } from 'vitest';
import type { BrokerAddress } from '../../src/amqp/broker-address.ts';
import type { OutgoingMessage } from '../../src/amqp/message.ts';
import { AmqpSession } from '../../src/amqp/session.ts';
import type { AmqpSessionOptions } from '../../src/amqp/session-options.ts';
import type { Topology } from '../../src/amqp/topology.ts';
import { systemClock } from '../../src/base/clock.ts';
import { parseTransportUrl } from '../../src/oslo/transport-url.ts';
import type { Broker } from '../peers/broker.ts';
import { recordFault, type FaultRecord } from './record-fault.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

const FLAGS = { durable: false, autoDelete: false, arguments: {} };
const EXCHANGE = { name: 'x', type: 'topic', ...FLAGS } as const;
const TOPOLOGY: Topology = {
  exchanges: [EXCHANGE],
  queues: [{ name: 'q', ...FLAGS, exclusive: false, deleteOnStop: false }],
  bindings: [{ queue: 'q', exchange: 'x', routingKey: 'k' }],
};

/** What sessions log about themselves. */
export const SAYS = {
  open: 'AMQP connection open',
  ready: 'AMQP session ready',
  lost: 'AMQP connection lost; opening it again',
  failed: 'AMQP connection not open; trying again',
  blocked: 'the broker takes no messages for now; they wait here',
};

/** One vhost of a broker and sessions on it that meet faults. */
export class SessionLab {
  readonly broker: Broker;
  readonly vhost: string;
  readonly address: BrokerAddress;
  /** What the consumers got. */
  readonly received: string[] = [];
  readonly #lines: { msg: string }[] = [];
  readonly #sessions: AmqpSession[] = [];
  readonly #proxies: TcpProxy[] = [];
  readonly #clients: ChannelModel[] = [];

  private constructor(broker: Broker, vhost: string) {
    this.broker = broker;
    this.vhost = vhost;
    this.address = parseTransportUrl(broker.url(vhost)).brokers[0] as BrokerAddress;
  }

  static async open(broker: Broker): Promise<SessionLab> {
    return new SessionLab(broker, await broker.createVhost());
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.stop()));
    await Promise.all(this.#clients.map((client) => client.close().catch(() => undefined)));
    for (const proxy of this.#proxies) proxy.close();
    await this.broker.deleteVhost(this.vhost);
  }

  /** What the sessions logged, in order. */
  get texts(): string[] {
    return this.#lines.map(({ msg }) => msg);
  }

  /** How often the sessions said this. */
  said(text: string): number {
    return this.texts.filter((one) => one === text).length;
  }

  /** A session that is not started yet. */
  makeSession(options: Partial<AmqpSessionOptions> = {}): AmqpSession {
    const write = (line: string): void => {
      this.#lines.push(JSON.parse(line) as { msg: string });
    };
    const session = new AmqpSession({
      brokers: [this.address],
      topology: TOPOLOGY,
      consumers: [
        {
          queue: 'q',
          consumerTag: '1',
          onDelivery: (delivery) => {
            this.received.push(delivery.content.toString());
            delivery.ack();
          },
        },
      ],
      publishTopology: { exchanges: [EXCHANGE], queues: [], bindings: [] },
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'debug' }, { write }),
      ...options,
    });
    this.#sessions.push(session);
    return session;
  }

  async startSession(options: Partial<AmqpSessionOptions> = {}): Promise<AmqpSession> {
    const session = this.makeSession(options);
    session.start();
    await until('the session is ready', () => session.connected);
    return session;
  }

  async startProxy(options: Parameters<typeof TcpProxy.start>[1] = {}): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(this.address.port, options);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Where a session must connect to in order to go through a proxy. */
  through(proxy: TcpProxy): Partial<AmqpSessionOptions> {
    return { brokers: [{ ...this.address, port: proxy.port }] };
  }

  /** The channel of another program. */
  async otherProgram(): Promise<Channel> {
    const client = await connect(this.broker.url(this.vhost).replace('rabbit:', 'amqp:'));
    client.on('error', () => undefined);
    this.#clients.push(client);
    const channel = await client.createChannel();
    channel.on('error', () => undefined);
    return channel;
  }

  /** A message for the queue of the sessions. */
  message(text: string): OutgoingMessage {
    const to = { exchange: 'x', routingKey: 'k', mandatory: true };
    return { ...to, content: Buffer.from(text), properties: {} };
  }

  /** Both directions work, on one consumer. */
  async expectService(session: AmqpSession, text: string): Promise<void> {
    expect(await session.publish(this.message(text))).toBe('confirmed');
    await until('its own message comes back', () => this.received.includes(text));
    await until('one consumer', async () => {
      return (await this.broker.queue(this.vhost, 'q'))?.consumers === 1;
    });
  }

  /**
   * Makes a fault, waits until the session serves again, and records how long that took, in
   * milliseconds: since `fault` was called or, for one that lasts, since its `end`.
   */
  async recovers(
    session: AmqpSession,
    record: Omit<FaultRecord, 'milliseconds' | 'until'>,
    fault: () => unknown,
    since: 'call' | 'end' = 'call',
  ): Promise<number> {
    let ready = 0;
    const readyBefore = this.said(SAYS.ready);
    const cancel = session.onConnected(() => (ready = systemClock.monotonic()));
    const call = systemClock.monotonic();
    await fault();
    const end = systemClock.monotonic();
    await until('the session is ready again', () => this.said(SAYS.ready) > readyBefore);
    cancel();
    const milliseconds = Math.max(0, ready - { call, end }[since]);
    expect(this.#saidBeforeReady(), 'a connection that is open serves').toEqual([]);
    await this.expectService(session, 'after the fault');
    await recordFault({ ...record, until: 'consuming and publishing', milliseconds });
    return milliseconds;
  }

  /** Of what costs another attempt, all that was said since the connection that serves was open. */
  #saidBeforeReady(): string[] {
    const since = this.texts.slice(this.texts.lastIndexOf(SAYS.open) + 1);
    const ready = since.indexOf(SAYS.ready);
    return since.slice(0, ready).filter((text) => text === SAYS.lost || text === SAYS.failed);
  }
}
