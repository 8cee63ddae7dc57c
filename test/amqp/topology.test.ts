import { describe, expect, it } from 'vitest';
import { InequivalentDeclaration } from '../../src/amqp/inequivalent.ts';
import { declareTopology, type Topology } from '../../src/amqp/topology.ts';
import { different, FakeChannel } from './fake-channel.ts';

const TOPOLOGY: Topology = {
  exchanges: [{ name: 'trove', type: 'topic', durable: false, autoDelete: true, arguments: {} }],
  queues: [
    {
      name: 'guest',
      durable: false,
      autoDelete: false,
      exclusive: true,
      arguments: { 'x-expires': 60_000 },
      deleteOnStop: true,
      setBy: { durable: 'amqp_durable_queues' },
    },
  ],
  bindings: [{ queue: 'guest', exchange: 'trove', routingKey: 'key' }],
};

const declare = (channel: FakeChannel, asTheyAre: string[] = []): Promise<void> =>
  declareTopology(channel.asChannel, TOPOLOGY, new Set(asTheyAre));

describe('declareTopology', () => {
  it('declares exchanges, then queues, then bindings, and leaves no flag to amqplib', async () => {
    const channel = new FakeChannel();
    await declare(channel);
    const own = { durable: false, autoDelete: true, internal: false, arguments: {} };
    const queue = { durable: false, autoDelete: false, exclusive: true };
    expect(channel.calls).toEqual([
      ['assertExchange', 'trove', 'topic', own],
      ['assertQueue', 'guest', { ...queue, arguments: { 'x-expires': 60_000 } }],
      ['bindQueue', 'guest', 'trove', 'key'],
    ]);
  });

  it('only looks for what is to stay as it is, by kind and name', async () => {
    const channel = new FakeChannel();
    await declare(channel, ['exchange trove', 'queue trove']);
    expect(channel.done).toEqual(['checkExchange trove', 'assertQueue guest', 'bindQueue guest']);
    const other = new FakeChannel();
    await declare(other, ['queue guest']);
    expect(other.done).toEqual(['assertExchange trove', 'checkQueue guest', 'bindQueue guest']);
  });

  it('names what is different at the broker and the option behind it, and stops there', async () => {
    const channel = new FakeChannel((name) =>
      name === 'assertQueue' ? different("queue 'guest'") : undefined,
    );
    const error = await declare(channel).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InequivalentDeclaration);
    expect(error).toMatchObject({
      what: 'queue guest',
      message: expect.stringContaining('set amqp_durable_queues here') as string,
    });
    expect(channel.done).toEqual(['assertExchange trove', 'assertQueue guest']);
  });

  it.each(['assertExchange', 'assertQueue', 'bindQueue'])(
    'hands on any other failure of %s',
    async (call) => {
      const failure = new Error('404 NOT_FOUND');
      const channel = new FakeChannel((name) => (name === call ? failure : undefined));
      await expect(declare(channel)).rejects.toBe(failure);
    },
  );

  it('hands on that something to be used as it is does not exist', async () => {
    const failure = new Error('404 NOT_FOUND');
    const channel = new FakeChannel((name) => (name === 'checkQueue' ? failure : undefined));
    await expect(declare(channel, ['queue guest'])).rejects.toBe(failure);
  });
});
