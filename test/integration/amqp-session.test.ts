import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { BrokerAddress } from '../../src/amqp/broker-address.ts';
import type { Delivery, OnDelivery, OutgoingMessage } from '../../src/amqp/message.ts';
import { AmqpSession } from '../../src/amqp/session.ts';
import type { AmqpSessionOptions } from '../../src/amqp/session-options.ts';
import type { QueueDeclaration, Topology } from '../../src/amqp/topology.ts';
import { systemClock } from '../../src/base/clock.ts';
import { parseTransportUrl } from '../../src/oslo/transport-url.ts';
import { Broker } from '../peers/broker.ts';

const broker = new Broker(inject('broker'));
const NOTHING: Topology = { exchanges: [], queues: [], bindings: [] };
const EXCHANGE = {
  name: 'x',
  type: 'topic',
  durable: false,
  autoDelete: false,
  arguments: {},
} as const;
const QUEUE: QueueDeclaration = {
  name: 'q',
  durable: false,
  autoDelete: false,
  exclusive: false,
  arguments: {},
  deleteOnStop: false,
};
const BINDING = { queue: 'q', exchange: 'x', routingKey: 'k' };
const TOPOLOGY: Topology = { exchanges: [EXCHANGE], queues: [QUEUE], bindings: [BINDING] };

let vhost: string;
let address: BrokerAddress;
/** A second client, which does what other programs do. */
let other: ChannelModel;
let channel: Channel;
let deliveries: Delivery[];
let handle: OnDelivery;
let lines: string[];
let sessions: AmqpSession[];

beforeEach(async () => {
  vhost = await broker.createVhost();
  address = parseTransportUrl(broker.url(vhost)).brokers[0] as BrokerAddress;
  await openOther();
  deliveries = [];
  handle = (delivery) => delivery.ack();
  lines = [];
  sessions = [];
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.stop()));
  await other.close().catch(() => undefined);
  await broker.deleteVhost(vhost);
});

async function openOther(): Promise<void> {
  other = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  other.on('error', () => undefined);
  channel = await other.createChannel();
  channel.on('error', () => undefined);
}

function makeSession(options: Partial<AmqpSessionOptions> = {}): AmqpSession {
  const session = new AmqpSession({
    brokers: [address],
    topology: TOPOLOGY,
    consumers: [
      {
        queue: 'q',
        consumerTag: '1',
        onDelivery: (delivery) => {
          deliveries.push(delivery);
          return handle(delivery);
        },
      },
    ],
    publishTopology: { ...NOTHING, exchanges: [EXCHANGE] },
    clock: systemClock,
    random: () => 0,
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
    ...options,
  });
  sessions.push(session);
  return session;
}

async function connected(session: AmqpSession): Promise<AmqpSession> {
  session.start();
  await eventually(() => expect(session.connected).toBe(true));
  return session;
}

async function eventually(check: () => unknown, timeout = 60_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 20 });
}

function message(text: string, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    exchange: 'x',
    routingKey: 'k',
    content: Buffer.from(text),
    properties: {},
    mandatory: false,
    ...change,
  };
}

function texts(): string[] {
  return deliveries.map(({ content }) => content.toString());
}

describe('a session', () => {
  it('declares its topology with the flags as they are, and consumes', async () => {
    const topology = {
      exchanges: [EXCHANGE],
      queues: [QUEUE, { ...QUEUE, name: 'd', durable: true, arguments: { 'x-expires': 60_000 } }],
      bindings: [BINDING],
    };
    await connected(makeSession({ topology }));
    expect(await broker.queue(vhost, 'q')).toMatchObject({
      durable: false,
      autoDelete: false,
      arguments: {},
      consumers: 1,
    });
    expect(await broker.queue(vhost, 'd')).toMatchObject({
      durable: true,
      arguments: { 'x-expires': 60_000 },
      consumers: 0,
    });
    channel.publish('x', 'k', Buffer.from('hello'), {
      contentType: 'text/plain',
      headers: { a: 1 },
    });
    await eventually(() => expect(texts()).toEqual(['hello']));
    expect(deliveries[0]).toMatchObject({
      contentType: 'text/plain',
      headers: { a: 1 },
      routingKey: 'k',
      redelivered: false,
    });
    await eventually(async () =>
      expect(await broker.queue(vhost, 'q')).toMatchObject({ messages: 0 }),
    );
  });

  it('takes as many unacknowledged messages as prefetch says', async () => {
    handle = () => undefined;
    await connected(makeSession({ prefetch: 2 }));
    for (const text of ['a', 'b', 'c']) channel.publish('x', 'k', Buffer.from(text));
    await eventually(async () =>
      expect(await broker.queue(vhost, 'q')).toMatchObject({ messages: 3, unacknowledged: 2 }),
    );
    deliveries[0]?.ack();
    deliveries[0]?.ack(); // the second one does nothing: it would close the channel
    await eventually(() => expect(texts()).toEqual(['a', 'b', 'c']));
  });

  it('rejects a message whose handler fails, and goes on', async () => {
    handle = (delivery) => {
      if (delivery.content.toString() === 'bad') throw new Error('cannot');
      delivery.ack();
    };
    await connected(makeSession());
    channel.publish('x', 'k', Buffer.from('bad'));
    channel.publish('x', 'k', Buffer.from('good'));
    await eventually(() => expect(texts()).toEqual(['bad', 'good']));
    await eventually(async () =>
      expect(await broker.queue(vhost, 'q')).toMatchObject({ messages: 0, consumers: 1 }),
    );
  });
});

describe('who listens for a session', () => {
  it('is told once, also who comes while others are told; who has gone by then is not', async () => {
    const session = makeSession();
    const told: string[] = [];
    session.onConnected(() => {
      told.push('first');
      session.onConnected(() => told.push('late'));
      leave();
    });
    const leave = session.onConnected(() => told.push('gone'));
    session.onConnected(() => told.push('last'));
    await connected(session);
    await eventually(() => expect(told).toContain('last'));
    expect(told).toEqual(['first', 'late', 'last']);
  });
});

describe('publishing', () => {
  it('tells what a queue took from what was returned, whatever comes in between', async () => {
    const session = await connected(makeSession());
    const nowhere = { exchange: '', routingKey: 'nowhere' };
    const outcomes = await Promise.all([
      session.publish(message('1', { mandatory: true })),
      session.publish(message('2', { ...nowhere, mandatory: true })),
      session.publish(message('2', nowhere)),
      session.publish(message('2', { ...nowhere, mandatory: true })),
      session.publish(message('x'.repeat(300_000), { mandatory: true })),
      session.publish(message('2', { mandatory: true })),
    ]);
    expect(outcomes).toEqual([
      'confirmed',
      'returned',
      'confirmed',
      'returned',
      'confirmed',
      'confirmed',
    ]);
    await eventually(() => expect(texts()).toEqual(['1', 'x'.repeat(300_000), '2']));
  });

  it('puts on the wire what it was given, and nothing else', async () => {
    await channel.assertQueue('taken', { durable: false });
    const session = await connected(makeSession());
    const properties = {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {},
      deliveryMode: 2,
      priority: 0,
    } as const;
    const toTaken = { exchange: '', routingKey: 'taken', mandatory: true, properties };
    expect(await session.publish(message('{}', toTaken))).toBe('confirmed');
    const taken = (await channel.get('taken', { noAck: true })) as GetMessage;
    const given = Object.entries(taken.properties).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(given)).toEqual(properties);
  });

  it('rejects without a connection, saying that trying again can help', async () => {
    await expect(makeSession().publish(message('1'))).rejects.toMatchObject({
      message: 'there is no connection to a broker',
      retryable: true,
    });
  });

  it('to an exchange that is not there costs its channel, and no delivery', async () => {
    handle = () => undefined;
    const session = await connected(makeSession());
    channel.publish('x', 'k', Buffer.from('held'));
    await eventually(() => expect(texts()).toEqual(['held']));
    await expect(session.publish(message('1', { exchange: 'none' }))).rejects.toMatchObject({
      message: expect.stringContaining('was not confirmed') as string,
      retryable: true,
    });
    await eventually(() => expect(session.connected).toBe(true));
    expect(await session.publish(message('2'))).toBe('confirmed');
    await eventually(() => expect(texts()).toEqual(['held', '2']));
    expect(deliveries.map(({ redelivered }) => redelivered)).toEqual([false, false]);
  });
});

describe('a session survives', () => {
  it.each([
    ['closed by an operator', () => broker.closeAllConnections(vhost)],
    ['cut without a word', () => broker.cutAllConnections(vhost)],
  ])('a connection that is %s', async (_how, end) => {
    handle = () => undefined;
    const session = makeSession();
    let times = 0;
    session.onConnected(() => times++);
    await connected(session);
    channel.publish('x', 'k', Buffer.from('held'));
    await eventually(() => expect(texts()).toEqual(['held']));

    await end();
    await eventually(() => expect(times).toBe(2));
    await eventually(() => expect(texts()).toEqual(['held', 'held']));
    expect(deliveries[1]?.redelivered).toBe(true);
    deliveries[0]?.ack(); // of the old channel: does nothing
    expect(await session.publish(message('new'))).toBe('confirmed');
    await eventually(() => expect(texts()).toEqual(['held', 'held', 'new']));
    expect(await broker.queue(vhost, 'q')).toMatchObject({ unacknowledged: 2, consumers: 1 });
    deliveries[1]?.ack();
    deliveries[2]?.ack();
    await eventually(async () =>
      expect(await broker.queue(vhost, 'q')).toMatchObject({ messages: 0 }),
    );
  });

  it('the loss of a connection with messages that were not confirmed yet', async () => {
    const session = await connected(makeSession());
    const published = Array.from({ length: 200 }, (_, i) =>
      session.publish(message(`${i} ${'x'.repeat(50_000)}`)),
    );
    const settled = Promise.allSettled(published);
    await broker.cutAllConnections(vhost);
    const lost = (await settled).filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of lost) expect(reason).toMatchObject({ retryable: true });
    await eventually(() => expect(session.connected).toBe(true));
    expect(await session.publish(message('again'))).toBe('confirmed');
  });

  it('the deletion of its queue', async () => {
    const session = makeSession();
    let times = 0;
    session.onConnected(() => times++);
    await connected(session);
    await broker.deleteQueue(vhost, 'q');
    await eventually(() => expect(times).toBe(2));
    expect(await session.publish(message('new', { mandatory: true }))).toBe('confirmed');
    await eventually(() => expect(texts()).toEqual(['new']));
    expect(lines.filter((line) => line.includes('AMQP connection open'))).toHaveLength(1);
  });

  it('a channel error while it declares, on the same connection', async () => {
    const bindings = [BINDING, { ...BINDING, exchange: 'late' }];
    const session = makeSession({ topology: { ...TOPOLOGY, bindings } });
    session.start();
    await eventually(() => expect(lines.join('')).toContain("no exchange 'late'"));
    expect(session.connected).toBe(false);
    await channel.assertExchange('late', 'topic', { durable: false });
    await eventually(() => expect(session.connected).toBe(true));
    expect(lines.filter((line) => line.includes('AMQP connection open'))).toHaveLength(1);
  });

  it('a queue that somebody else has locked', async () => {
    await channel.assertQueue('q', { durable: false, exclusive: true });
    const session = makeSession();
    session.start();
    await eventually(() => expect(lines.join('')).toContain('RESOURCE_LOCKED'));
    await other.close();
    await eventually(() => expect(session.connected).toBe(true));
  });

  it('things that are declared differently, which it names and uses as they are', async () => {
    await channel.assertQueue('q', { durable: true });
    await channel.assertExchange('x', 'topic', { durable: true });
    const session = await connected(makeSession());
    const errors = lines.filter((line) => (JSON.parse(line) as { level: number }).level === 50);
    const difference = 'is declared differently at the broker: durable is true there and false';
    expect(errors.filter((line) => line.includes(`exchange x ${difference}`))).toHaveLength(1);
    expect(errors.filter((line) => line.includes(`queue q ${difference}`))).toHaveLength(1);
    expect(await session.publish(message('1', { mandatory: true }))).toBe('confirmed');
    await eventually(() => expect(texts()).toEqual(['1']));
  });

  it('a broker that is not there, and takes the next one', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    unused.close();
    await connected(makeSession({ brokers: [{ ...address, port }, address] }));
    expect(lines.join('')).toContain(`cannot open an AMQP connection to 127.0.0.1:${port}`);
  });

  it('a refused login, of which it never shows the password', async () => {
    const refused = { ...address, password: 'not-the-password' };
    const session = makeSession({ brokers: [refused] });
    session.start();
    await eventually(() => expect(lines.join('')).toContain('the login was refused'));
    expect(lines.join('')).not.toContain(refused.password);
    await session.stop();
  });
});

describe('stop', () => {
  const withFanout: Topology = {
    ...TOPOLOGY,
    queues: [QUEUE, { ...QUEUE, name: 'mine', deleteOnStop: true }],
  };

  it('waits for what is in flight, deletes the queues marked so, and leaves the others', async () => {
    let finish: () => void = () => undefined;
    handle = async (delivery) => {
      await new Promise<void>((resolve) => (finish = resolve));
      delivery.ack();
    };
    const session = await connected(makeSession({ topology: withFanout }));
    channel.publish('x', 'k', Buffer.from('slow'));
    await eventually(() => expect(texts()).toEqual(['slow']));
    const stopped = session.stop();
    await eventually(async () =>
      expect(await broker.queue(vhost, 'q')).toMatchObject({ consumers: 0 }),
    );
    finish();
    await stopped;
    expect((await broker.listQueues(vhost)).map(({ name, messages }) => [name, messages])).toEqual([
      ['q', 0],
    ]);
    expect(session.connected).toBe(false);
    await expect(session.publish(message('late'))).rejects.toMatchObject({ retryable: true });
  });

  it('does not wait for ever, and gives what is not acknowledged back', async () => {
    handle = () => new Promise(() => undefined);
    const session = await connected(makeSession({ stopGrace: 50 }));
    channel.publish('x', 'k', Buffer.from('stuck'));
    await eventually(() => expect(texts()).toEqual(['stuck']));
    await session.stop();
    expect(await broker.queue(vhost, 'q')).toMatchObject({ messages: 1, unacknowledged: 0 });
    deliveries[0]?.ack(); // does nothing
  });

  it('ends a session that never found a broker', async () => {
    const session = makeSession({ brokers: [{ ...address, port: 1 }] });
    session.start();
    await eventually(() => expect(lines.join('')).toContain('ECONNREFUSED'));
    await session.stop();
  });
});
