import { describe, expect, it } from 'vitest';
import type { OutgoingMessage, Publisher, PublishOutcome } from '../../src/amqp/message.ts';
import { PublisherChannel } from '../../src/amqp/publisher-channel.ts';
import { connectionWith, FakeChannel } from '../amqp/fake-channel.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import { guestServer, KEY, letter } from './guest-server.ts';

/** A broker that knows none of the queues that are replied to. */
class Nowhere implements Publisher {
  published = 0;

  publish(): Promise<PublishOutcome> {
    this.published++;
    return Promise.resolve('returned');
  }
}

const CALLS = 2_000;
/** So many replies wait at most. */
const MOST_WAITING = 256;

async function flood(isKeyed: boolean) {
  const publisher = new Nowhere();
  const { server, clock, lines } = await guestServer({ isKeyed, publisher });
  const letters = Array.from({ length: CALLS }, (_, n) =>
    letter(JSON.stringify({ method: 'rpc_ping', args: {}, _msg_id: `m${n}`, _reply_q: `r${n}` })),
  );
  for (const one of letters) void server.onDelivery(one);
  await clock.advance(0);
  return { publisher, clock, lines, letters };
}

describe('calls whose reply queues do not exist', () => {
  it.each([true, false])('hold no place at the broker (key: %s)', async (isKeyed) => {
    const { letters } = await flood(isKeyed);
    expect(new Set(letters.map(({ fate }) => fate))).toEqual(new Set(['acknowledged']));
  });

  it('are answered once when their caller has not the key', async () => {
    const { publisher, clock } = await flood(true);
    await clock.advance(60_000);
    expect(publisher.published).toBe(CALLS);
  });

  it('leave no more replies waiting than a few, when everybody has the key', async () => {
    const { publisher, clock } = await flood(false);
    expect(publisher.published).toBe(CALLS);
    await clock.advance(250);
    expect(publisher.published).toBe(CALLS + MOST_WAITING);
    await clock.advance(120_000);
    const atEnd = publisher.published;
    await clock.advance(60_000);
    expect(publisher.published).toBe(atEnd);
  });

  it('write few lines, and count the rest', async () => {
    const { lines, clock } = await flood(true);
    await clock.advance(60_000);
    expect(lines.length).toBeLessThan(30);
    const counted = lines.filter((line) => line.includes('a reply was dropped'));
    expect(counted.at(-1)).toContain(`inAll=${CALLS}`);
  });
});

describe('calls of many who have not the key', () => {
  it('are answered until there are too many of them, and those of others go on', async () => {
    const { server, clock, publisher } = await guestServer({ isKeyed: true });
    const strange = Array.from({ length: 11_000 }, (_, n) =>
      letter(JSON.stringify({ method: 'rpc_ping', args: {}, _msg_id: `m${n}`, _reply_q: 'r' })),
    );
    for (const one of strange) void server.onDelivery(one);
    await clock.advance(0);
    expect(publisher.published).toHaveLength(10_000);
    expect(new Set(strange.map(({ fate }) => fate))).toEqual(new Set(['acknowledged']));
    const context = new Cipher(KEY).encryptJson({ request_id: 'r', user: null });
    const call = { method: 'rpc_ping', args: {}, _context_context: context };
    void server.onDelivery(letter(JSON.stringify({ ...call, _msg_id: 'trove', _reply_q: 'r' })));
    await clock.advance(0);
    expect(publisher.messages.at(-1)).toMatchObject({ _msg_id: 'trove', failure: null });
  });
});

describe('messages that are no requests', () => {
  it('write few lines, and count the rest', async () => {
    const { server, clock, lines } = await guestServer({ isKeyed: true });
    const letters = Array.from({ length: CALLS }, (_, n) => letter(`no JSON ${n}`));
    for (const one of letters) void server.onDelivery(one);
    await clock.advance(60_000);
    expect(new Set(letters.map(({ fate }) => fate))).toEqual(new Set(['rejected']));
    expect(lines.length).toBeLessThan(20);
    expect(lines.at(-1)).toContain(`inAll=${CALLS}`);
  });
});

describe('replies that come back', () => {
  it('are known by a key, however many wait: no contents are compared', async () => {
    const channel = new FakeChannel();
    const nothing = { exchanges: [], queues: [], bindings: [] };
    const publisher = await PublisherChannel.open(
      connectionWith([channel]),
      nothing,
      () => undefined,
    );
    let compared = 0;
    const messages = Array.from({ length: CALLS }, (_, n): OutgoingMessage => {
      const content = Buffer.from(`reply ${n}`);
      content.equals = (other) => {
        compared++;
        return content.compare(other) === 0;
      };
      return { exchange: '', routingKey: 'r', content, properties: {}, mandatory: true };
    });
    const outcomes = messages.map((message) => publisher.publish(message));
    for (const { content } of messages.toReversed()) {
      channel.emit('return', { fields: { exchange: '', routingKey: 'r' }, content });
    }
    for (const answer of channel.answers) answer(null);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['returned']));
    expect(compared).toBe(0);
  });
});
