import { describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../../src/amqp/message.ts';
import { NotSent } from '../../src/amqp/message.ts';
import { PublisherChannel } from '../../src/amqp/publisher-channel.ts';
import { connectionWith, FakeChannel } from './fake-channel.ts';

const NOTHING = { exchanges: [], queues: [], bindings: [] };

async function opened(
  channel = new FakeChannel(),
): Promise<{ channel: FakeChannel; publisher: PublisherChannel }> {
  const publisher = await PublisherChannel.open(
    connectionWith([channel]),
    NOTHING,
    () => undefined,
  );
  return { channel, publisher };
}

function message(content: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    exchange: 'trove',
    routingKey: 'key',
    content: Buffer.from(content),
    properties: { contentType: 'application/json' },
    mandatory: true,
    ...more,
  };
}

/** The broker gives back a message that no queue took. */
function giveBack(channel: FakeChannel, { exchange, routingKey, content }: OutgoingMessage): void {
  channel.emit('return', { fields: { exchange, routingKey }, content: Buffer.from(content) });
}

const confirm = (channel: FakeChannel, at: number): void => channel.answers[at]?.(null);

describe('PublisherChannel', () => {
  it('publishes with the properties and the flag, and resolves at the confirm', async () => {
    const { channel, publisher } = await opened();
    const sent = publisher.publish(message('a'));
    expect(channel.calls).toEqual([
      [
        'publish',
        'trove',
        'key',
        Buffer.from('a'),
        { contentType: 'application/json', mandatory: true },
      ],
    ]);
    confirm(channel, 0);
    expect(await sent).toBe('confirmed');
  });

  it.each<[string, Partial<OutgoingMessage>]>([
    ['content', { content: Buffer.from('b') }],
    ['key', { routingKey: 'other' }],
    ['exchange', { exchange: '' }],
  ])('knows which message was returned by its %s', async (_, difference) => {
    const { channel, publisher } = await opened();
    const outcomes = [message('a'), message('a', difference)].map((one) => publisher.publish(one));
    giveBack(channel, message('a', difference));
    confirm(channel, 0);
    confirm(channel, 1);
    expect(await Promise.all(outcomes)).toEqual(['confirmed', 'returned']);
  });

  it('takes the first of two equal ones as returned, and both if both are', async () => {
    const { channel, publisher } = await opened();
    const outcomes = [1, 2, 3].map(() => publisher.publish(message('a')));
    giveBack(channel, message('a'));
    giveBack(channel, message('a'));
    for (const at of [0, 1, 2]) confirm(channel, at);
    expect(await Promise.all(outcomes)).toEqual(['returned', 'returned', 'confirmed']);
  });

  it('takes none as returned that was not mandatory', async () => {
    const { channel, publisher } = await opened();
    const optional = publisher.publish(message('a', { mandatory: false }));
    const mandatory = publisher.publish(message('a'));
    giveBack(channel, message('a'));
    confirm(channel, 0);
    confirm(channel, 1);
    expect(await optional).toBe('confirmed');
    expect(await mandatory).toBe('returned');
  });

  it('takes a message that was answered for as returned no more', async () => {
    const { channel, publisher } = await opened();
    const first = publisher.publish(message('a'));
    confirm(channel, 0);
    expect(await first).toBe('confirmed');
    const second = publisher.publish(message('a'));
    giveBack(channel, message('a'));
    confirm(channel, 1);
    expect(await second).toBe('returned');
  });

  it('rejects as retryable when the message is not confirmed', async () => {
    const { channel, publisher } = await opened();
    const sent = publisher.publish(message('a'));
    channel.answers[0]?.(new Error('channel closed'));
    await expect(sent).rejects.toMatchObject({
      retryable: true,
      message: 'the message to exchange "trove" with key "key" was not confirmed: channel closed',
    });
  });

  it('rejects with the reason of the broker, and not as NotSent, when the channel is closed for it', async () => {
    const { channel, publisher } = await opened();
    const sent = publisher.publish(message('a'));
    channel.emit('error', new Error('406 (PRECONDITION-FAILED)'));
    channel.answers[0]?.(new Error('channel closed'));
    await expect(sent).rejects.toThrow(/was not confirmed: 406 \(PRECONDITION-FAILED\)$/);
    await expect(sent).rejects.not.toBeInstanceOf(NotSent);
  });

  it('rejects in the same way when amqplib throws: the channel is closed', async () => {
    const closed = new Error('Channel closed');
    const { publisher } = await opened(new FakeChannel(() => closed));
    await expect(publisher.publish(message('a'))).rejects.toMatchObject({
      retryable: true,
      cause: closed,
    });
  });

  it('is lost with the reason when the channel closes', async () => {
    const { channel, publisher } = await opened();
    channel.emit('error', new Error('404 NOT_FOUND'));
    channel.emit('close');
    expect(await publisher.lost).toBe('404 NOT_FOUND');
  });
});
