// rabbit_stream_fanout, which two large deployment tools switch on: one stream for each fanout.
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import type { AmqpSession } from '../../../src/amqp/session.ts';
import { startOsloGuest } from '../../helpers/oslo-guest.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';
import { Minutes } from './minutes.ts';

const broker = new Broker(inject('broker'));
const OPTIONS =
  'rabbit_quorum_queue = true\nrabbit_transient_quorum_queue = true\n' +
  'rabbit_stream_fanout = true\nrabbit_qos_prefetch_count = 10\nrabbit_transient_queues_ttl = 600\n';
const FANOUT = 'guestagent.g1_fanout';

let vhost: string;
let guests: AmqpSession[];
let other: { model: ChannelModel; channel: Channel };

let minutes: Minutes;

beforeEach(async () => {
  minutes = new Minutes();
  vhost = await broker.createVhost();
  guests = [];
  const model = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  model.on('error', () => undefined);
  other = { model, channel: await model.createChannel() };
});

afterEach(async () => {
  await Promise.all(guests.map((guest) => guest.stop()));
  await other.model.close().catch(() => undefined);
  await broker.deleteVhost(vhost);
});

/** A guest, and what was cast to it, in order. */
async function startGuest() {
  const methods: string[] = [];
  const { log, texts } = recordingLog('info');
  const session = await startOsloGuest({
    topic: 'guestagent.g1',
    server: 'g1',
    config: `[DEFAULT]\ntransport_url = ${broker.url(vhost)}\n[oslo_messaging_rabbit]\n${OPTIONS}`,
    dispatcher: {
      dispatch: ({ method }) => {
        methods.push(method);
        return Promise.resolve(null);
      },
    },
    log,
    session: { clock: minutes.clock, backoff: { first: 0, second: 1, cap: 1, jitter: 0 } },
  });
  guests.push(session);
  return { session, methods, texts };
}

/** Casts to all who listen on the topic, as a fanout of oslo.messaging does. */
function fanout(method: string): void {
  const message = JSON.stringify({ method, args: {}, version: '1.0' });
  const body = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': message });
  const properties = { contentType: 'application/json', contentEncoding: 'utf-8' };
  other.channel.publish(FANOUT, '', Buffer.from(body), properties);
}

it('declares the stream that oslo.messaging 17 declares, and two guests get each cast', async () => {
  const [one, two] = [await startGuest(), await startGuest()];
  expect(await broker.queue(vhost, FANOUT)).toMatchObject({
    durable: true,
    autoDelete: false,
    arguments: { 'x-queue-type': 'stream', 'x-max-age': '600s' },
  });
  expect(await broker.listExchanges(vhost)).toContainEqual({
    name: FANOUT,
    type: 'fanout',
    durable: true,
    autoDelete: true,
    arguments: {},
  });
  fanout('first');
  await until('both have it', () => one.methods.length + two.methods.length === 2);
  expect([one.methods, two.methods]).toEqual([['first'], ['first']]);
});

it('goes on behind what it had when the connection was lost', async () => {
  const { session, methods } = await startGuest();
  for (const method of ['a', 'b']) fanout(method);
  await until('it has both', () => methods.length === 2);
  const again = new Promise<void>((resolve) => {
    let calls = 0;
    session.onConnected(() => {
      if (++calls === 2) resolve();
    });
  });
  await broker.closeAllConnections(vhost);
  await again;
  const model = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  other = { model, channel: await model.createChannel() };
  fanout('c');
  await until('it has the third', () => methods.includes('c'));
  expect(methods).toEqual(['a', 'b', 'c']);
});

it('goes on when the stream was deleted', async () => {
  const { session, methods, texts } = await startGuest();
  fanout('a');
  await until('it has it', () => methods.length === 1);
  await other.channel.deleteQueue(FANOUT);
  await until('its channel was lost', () =>
    texts.includes('AMQP consumers lost; opening it again'),
  );
  await until('it is connected again', () => session.connected);
  fanout('b');
  await until('it has the next', () => methods.includes('b'));
});

it('gets the binding of the stream back at the next proof', async () => {
  const { methods } = await startGuest();
  await until('it waits for its next proof', () => minutes.waiting > 0);
  await other.channel.unbindQueue(FANOUT, FANOUT, 'guestagent.g1');
  minutes.pass();
  await until('it waits for its next proof', () => minutes.waiting > 0);
  await other.channel.assertExchange(FANOUT, 'fanout', { durable: true, autoDelete: true });
  fanout('a');
  await until('it has the cast', () => methods.includes('a'));
});

it('leaves the stream at a stop: others listen to it', async () => {
  const { session } = await startGuest();
  await session.stop();
  expect(await broker.queue(vhost, FANOUT)).toMatchObject({ consumers: 0 });
});
