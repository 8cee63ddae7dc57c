import { connect, type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { AmqpSession } from '../../src/amqp/session.ts';
import { systemClock } from '../../src/base/clock.ts';
import { encodeCast } from '../../src/oslo/cast.ts';
import { decodeEnvelope, encodeEnvelope, type JsonObject } from '../../src/oslo/envelope.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readRabbitOptions } from '../../src/oslo/rabbit-options.ts';
import type { RpcRequest } from '../../src/oslo/rpc-request.ts';
import { RpcServer } from '../../src/oslo/rpc-server.ts';
import { controlExchange, rpcServerTopology } from '../../src/oslo/rpc-topology.ts';
import { parseTransportUrl } from '../../src/oslo/transport-url.ts';
import { newUniqueId } from '../../src/oslo/unique-id.ts';
import { Broker } from '../peers/broker.ts';

const broker = new Broker(inject('broker'));
const TOPIC = 'guestagent.g1';
const QUEUES = [TOPIC, `${TOPIC}.g1`];
const TRANSIENT = { durable: false, exclusive: false, autoDelete: false };
const DEFAULTS = readRabbitOptions(new OsloConfig([]));
const LOG = pino({ level: 'silent' });

let vhost: string;
/** What Trove does, as it was measured (docs/contracts/trove.md, 1.1) and not by our code. */
let trove: Channel;
let troveConnection: ChannelModel;
let replies: ConsumeMessage[];
let sessions: AmqpSession[];
let dispatched: RpcRequest[];
let dispatch: (request: RpcRequest, accepted: () => void) => Promise<unknown>;

beforeEach(async () => {
  vhost = await broker.createVhost();
  troveConnection = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  troveConnection.on('error', () => undefined);
  trove = await troveConnection.createChannel();
  replies = [];
  sessions = [];
  dispatched = [];
  dispatch = (request) => Promise.resolve(request.args);
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.stop()));
  await troveConnection.close().catch(() => undefined);
  await broker.deleteVhost(vhost);
});

/** Starts a guest; resolves when it listens. */
async function startGuest(): Promise<AmqpSession> {
  const name = { topic: TOPIC, server: 'g1', fanoutId: newUniqueId() };
  const { topology, consumers } = rpcServerTopology(name, DEFAULTS);
  const session: AmqpSession = new AmqpSession({
    brokers: parseTransportUrl(broker.url(vhost)).brokers,
    topology,
    consumers: consumers.map((consumer) => ({
      ...consumer,
      onDelivery: (delivery) => server.onDelivery(delivery),
    })),
    publishTopology: { exchanges: [controlExchange(DEFAULTS)], queues: [], bindings: [] },
    clock: systemClock,
    random: Math.random,
    stopGrace: 200,
    log: LOG,
  });
  const server = new RpcServer({
    publisher: session,
    dispatcher: {
      dispatch: (request, accepted) => {
        dispatched.push(request);
        return dispatch(request, accepted);
      },
    },
    clock: systemClock,
    log: LOG,
  });
  sessions.push(session);
  session.start();
  await eventually(() => expect(session.connected).toBe(true));
  return session;
}

async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: 60_000, interval: 20 });
}

/** The declarations that oslo.messaging makes before `prepare` (docs/contracts/trove.md, 1.1). */
async function declareAsTrove(): Promise<void> {
  await trove.assertExchange('openstack', 'topic', { durable: false, autoDelete: false });
  for (const queue of QUEUES) {
    await trove.assertQueue(queue, { ...TRANSIENT, arguments: {} });
    await trove.bindQueue(queue, 'openstack', queue);
  }
  await trove.assertExchange(`${TOPIC}_fanout`, 'fanout', { durable: false, autoDelete: true });
}

/** The reply queue of a caller, on a connection that outlives those of the test. */
async function openReplyQueue(name: string): Promise<void> {
  await trove.assertQueue(name, { ...TRANSIENT, arguments: { 'x-expires': 1_800_000 } });
  await trove.consume(name, (reply) => reply && replies.push(reply), { noAck: true });
}

function send(message: JsonObject, routingKey = TOPIC, exchange = 'openstack'): void {
  const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: {} };
  trove.publish(exchange, routingKey, encodeEnvelope(message), properties);
}

function call(method: string, change: JsonObject = {}): JsonObject {
  const ids = { _msg_id: newUniqueId(), _reply_q: 'reply_1', _unique_id: newUniqueId() };
  return { method, args: { n: 1 }, version: '1.0', _timeout: null, ...ids, ...change };
}

function answers(): JsonObject[] {
  return replies.map(({ content }) => decodeEnvelope(content.toString()));
}

describe('an RPC server on a real broker', () => {
  it.each([
    ['before', true],
    ['after', false],
  ])('declares what Trove declares: Trove %s it', async (_when, first) => {
    if (first) await declareAsTrove();
    await startGuest();
    await declareAsTrove();
    const queues = await broker.listQueues(vhost);
    const fanout = queues.find(({ name }) => name.startsWith(`${TOPIC}_fanout_`));
    expect(fanout).toMatchObject({
      consumers: 1,
      durable: false,
      autoDelete: false,
      arguments: { 'x-expires': 1_800_000 },
    });
    const others = queues.filter((queue) => queue !== fanout);
    expect(others.map(({ name }) => name).sort()).toEqual(QUEUES);
    for (const queue of others) expect(queue).toMatchObject({ consumers: 1, arguments: {} });
  });

  it('answers a call, to the topic and to the server, with the properties it needs', async () => {
    await startGuest();
    await openReplyQueue('reply_1');
    const calls = QUEUES.map((queue) => {
      const request = call('echo');
      send(request, queue);
      return request;
    });
    await eventually(() => expect(replies).toHaveLength(2));
    for (const { _msg_id } of calls) {
      expect(answers()).toContainEqual({
        result: { n: 1 },
        failure: null,
        ending: true,
        _msg_id,
        _unique_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      });
    }
    const properties = Object.entries(replies[0]?.properties ?? {});
    expect(Object.fromEntries(properties.filter(([, value]) => value !== undefined))).toEqual({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {},
      deliveryMode: 2,
      priority: 0,
    });
  });

  it('gets what was sent before it was there, and what goes to the fanout', async () => {
    await declareAsTrove();
    const cast = { args: {}, version: '1.1', context: { user: 'u' } };
    trove.publish('openstack', TOPIC, encodeCast({ method: 'prepare', ...cast }));
    await startGuest();
    await eventually(() => expect(dispatched[0]?.method).toBe('prepare'));
    expect(dispatched[0]?.context).toEqual({ user: 'u' });
    trove.publish(`${TOPIC}_fanout`, '', encodeCast({ method: 'all', ...cast }));
    await eventually(() => expect(dispatched[1]?.method).toBe('all'));
  });

  it('runs a call once and answers it once its connection is back', async () => {
    let end: () => void = () => undefined;
    dispatch = () => new Promise((resolve) => (end = () => resolve('late')));
    const guest = await startGuest();
    const outcomes: string[] = [];
    guest.onConnected(() => outcomes.push('connected'));
    await declareAsTrove();
    send(call('slow'));
    await eventually(() => expect(dispatched).toHaveLength(1));

    await broker.cutAllConnections(vhost); // Trove's too
    end();
    await eventually(() => expect(outcomes).toEqual(['connected']));
    troveConnection = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
    trove = await troveConnection.createChannel();
    await openReplyQueue('reply_1');
    await eventually(() => expect(answers()).toMatchObject([{ result: 'late', ending: true }]));
    await eventually(async () =>
      expect(await broker.queue(vhost, TOPIC)).toMatchObject({ messages: 0, consumers: 1 }),
    );
    expect(dispatched).toHaveLength(1);
  });

  it('leaves a request that was not accepted to the next server', async () => {
    dispatch = () => new Promise(() => undefined);
    const first = await startGuest();
    await declareAsTrove();
    send({ method: 'prepare', args: {}, _unique_id: 'u1' });
    await eventually(() => expect(dispatched).toHaveLength(1));
    const stopped = first.stop(); // does not wait for ever
    dispatch = () => Promise.resolve(null);
    await startGuest();
    await stopped;
    await eventually(() => expect(dispatched).toHaveLength(2));
    await eventually(async () =>
      expect(await broker.queue(vhost, TOPIC)).toMatchObject({ messages: 0 }),
    );
  });

  it('rejects what is no message, and goes on', async () => {
    await startGuest();
    await openReplyQueue('reply_1');
    trove.publish('openstack', TOPIC, Buffer.from('no JSON'));
    trove.publish('openstack', TOPIC, Buffer.from('{"oslo.version": "3.0", "oslo.message": "{}"}'));
    send(call('echo'));
    await eventually(() => expect(answers()).toMatchObject([{ result: { n: 1 } }]));
    await eventually(async () =>
      expect(await broker.queue(vhost, TOPIC)).toMatchObject({ messages: 0 }),
    );
  });
});
