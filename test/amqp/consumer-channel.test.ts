import { describe, expect, it } from 'vitest';
import { ConsumerChannel } from '../../src/amqp/consumer-channel.ts';
import { InFlight } from '../../src/amqp/in-flight.ts';
import type { Delivery, OnDelivery } from '../../src/amqp/message.ts';
import { deferred } from '../helpers/deferred.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { connectionWith, FakeChannel } from './fake-channel.ts';

const MESSAGE = {
  content: Buffer.from('{}'),
  fields: { routingKey: 'key', redelivered: true },
  properties: { contentType: 'application/json', headers: undefined },
};

/** A channel with one consumer of the queue `guest`, and what it got. */
async function opened({
  prefetch = 0,
  onDelivery,
}: { prefetch?: number; onDelivery?: OnDelivery } = {}) {
  const channel = new FakeChannel();
  const inFlight = new InFlight();
  const { log, texts } = recordingLog();
  const deliveries: Delivery[] = [];
  const keep: OnDelivery = (delivery) => void deliveries.push(delivery);
  const consumers = [{ queue: 'guest', consumerTag: '1', onDelivery: onDelivery ?? keep }];
  const consumer = await ConsumerChannel.open(connectionWith([channel]), {
    topology: { exchanges: [], queues: [], bindings: [] },
    consumers,
    prefetch,
    inFlight,
    log,
    onDifference: () => undefined,
    onDelivered: () => false,
  });
  const deliver = (message: typeof MESSAGE | null): void =>
    channel.consumers.get('guest')?.(message as never);
  return { channel, consumer, deliver, deliveries, inFlight, texts };
}

describe('ConsumerChannel', () => {
  it('consumes with acknowledgements and without a limit when there is none', async () => {
    const { channel } = await opened();
    const flags = { noAck: false, exclusive: false, noLocal: false };
    expect(channel.calls).toEqual([
      ['consume', 'guest', { consumerTag: '1', ...flags, arguments: {} }],
    ]);
  });

  it('sets the limit before it consumes', async () => {
    const { channel } = await opened({ prefetch: 7 });
    expect(channel.done).toEqual(['prefetch 7', 'consume guest']);
  });

  it('hands a message on, with headers even if it has none', async () => {
    const { deliver, deliveries } = await opened();
    deliver(MESSAGE);
    expect(deliveries).toMatchObject([
      {
        content: MESSAGE.content,
        contentType: 'application/json',
        headers: {},
        routingKey: 'key',
        redelivered: true,
      },
    ]);
  });

  it('settles a message once, by what comes first', async () => {
    const { channel, deliver, deliveries } = await opened();
    deliver(MESSAGE);
    deliver(MESSAGE);
    const [first, second] = deliveries;
    first?.ack();
    first?.reject();
    first?.ack();
    second?.reject();
    second?.ack();
    expect(channel.calls.slice(1)).toEqual([
      ['ack', MESSAGE],
      ['reject', MESSAGE, false],
    ]);
  });

  it('settles nothing on a channel that is closed', async () => {
    const { channel, deliver, deliveries } = await opened();
    deliver(MESSAGE);
    channel.emit('close');
    deliveries[0]?.ack();
    deliveries[0]?.reject();
    expect(channel.done).toEqual(['consume guest']);
  });

  it.each<[string, OnDelivery]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('rejects a message whose handler %s, logs it and stays open', async (_, onDelivery) => {
    const { channel, deliver, inFlight, texts } = await opened({ onDelivery });
    deliver(MESSAGE);
    await inFlight.idle();
    expect(channel.calls.slice(1)).toEqual([['reject', MESSAGE, false]]);
    expect(texts).toEqual(['a message was not handled']);
    deliver(MESSAGE);
    await inFlight.idle();
    expect(texts).toHaveLength(2);
  });

  it('counts a message as in flight until its handler is done', async () => {
    const handled = deferred();
    const order: string[] = [];
    const { deliver, inFlight } = await opened({
      onDelivery: async () => {
        await handled.promise;
        order.push('handled');
      },
    });
    deliver(MESSAGE);
    const idle = inFlight.idle().then(() => order.push('idle'));
    handled.resolve();
    await idle;
    expect(order).toEqual(['handled', 'idle']);
  });

  it('is lost when the broker cancels a consumer', async () => {
    const { consumer, deliver } = await opened();
    deliver(null);
    expect(await consumer.lost).toBe('the broker cancelled the consumer of guest');
  });

  it('is lost with the reason when the channel closes', async () => {
    const { channel, consumer } = await opened();
    channel.emit('error', new Error('the broker says no'));
    channel.emit('close');
    expect(await consumer.lost).toBe('the broker says no');
  });

  it('still settles messages after it takes no more', async () => {
    const { channel, consumer, deliver, deliveries } = await opened();
    deliver(MESSAGE);
    await consumer.cancel();
    deliveries[0]?.ack();
    await consumer.deleteQueue('guest');
    expect(channel.done.slice(1)).toEqual(['cancel 1', 'ack [object Object]', 'deleteQueue guest']);
  });

  it('settles nothing from the moment it is asked to close, and is closed with its event', async () => {
    const { channel, consumer, deliver, deliveries } = await opened();
    deliver(MESSAGE);
    const closing = consumer.close();
    deliveries[0]?.ack();
    channel.emit('close');
    await closing;
    await consumer.close();
    expect(channel.calls.slice(1)).toEqual([['close']]);
  });
});
