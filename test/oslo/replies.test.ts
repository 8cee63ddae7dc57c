import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../../src/base/errors.ts';
import { Replies } from '../../src/oslo/replies.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { ScriptedPublisher } from './scripted-publisher.ts';

const CALLER = { messageId: 'm1', replyQueue: 'reply_1' };
const DONE = { result: true, failure: null };
const LOST = new AgentError('the connection was lost', { retryable: true });

function set(publisher: ScriptedPublisher): { replies: Replies; clock: ManualClock } {
  const clock = new ManualClock();
  let id = 0;
  const newId = (): string => `id${++id}`;
  return {
    clock,
    replies: new Replies({ publisher, clock, newId, log: pino({ level: 'silent' }) }),
  };
}

/** Whether a promise has settled by now. */
async function over(clock: ManualClock, promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await clock.advance(0);
  return settled;
}

describe('a reply', () => {
  it('goes to the queue of its caller, mandatory, with the properties it needs', async () => {
    const publisher = new ScriptedPublisher();
    await set(publisher).replies.send(CALLER, { result: { a: 1 }, failure: null });
    expect(publisher.published[0]).toMatchObject({
      exchange: '',
      routingKey: 'reply_1',
      mandatory: true,
      properties: {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: {},
        deliveryMode: 2,
        priority: 0,
      },
    });
    expect(publisher.messages).toEqual([
      { result: { a: 1 }, failure: null, ending: true, _msg_id: 'm1', _unique_id: 'id1' },
    ]);
  });

  it('is sent again after a quarter of a second, the same bytes', async () => {
    const publisher = new ScriptedPublisher('returned', LOST);
    const { replies, clock } = set(publisher);
    const sent = replies.send(CALLER, DONE);
    await clock.advance(249);
    expect(publisher.published).toHaveLength(1);
    await clock.advance(1);
    expect(publisher.published).toHaveLength(2);
    expect(await over(clock, sent)).toBe(false);
    await clock.advance(250);
    expect(await over(clock, sent)).toBe(true);
    expect(new Set(publisher.published.map(({ content }) => content.toString())).size).toBe(1);
  });

  it('is dropped after a minute', async () => {
    const publisher = new ScriptedPublisher(...Array<Error>(1_000).fill(LOST));
    const { replies, clock } = set(publisher);
    const sent = replies.send(CALLER, DONE);
    await clock.advance(59_000);
    expect(await over(clock, sent)).toBe(false);
    await clock.advance(1_000);
    expect(await over(clock, sent)).toBe(true);
    expect(publisher.published).toHaveLength(240);
  });

  it('does not wait longer than that for a confirm', async () => {
    const { replies, clock } = set(new ScriptedPublisher(new Promise(() => undefined)));
    const sent = replies.send(CALLER, DONE);
    await clock.advance(60_000);
    expect(await over(clock, sent)).toBe(true);
  });

  it('is dropped at once when trying again cannot help', async () => {
    const publisher = new ScriptedPublisher(new TypeError('no'));
    await set(publisher).replies.send(CALLER, DONE);
    expect(publisher.published).toHaveLength(1);
  });
});

describe('a sign of life', () => {
  it('is sent twice in each timeout of the caller until it is over', async () => {
    const publisher = new ScriptedPublisher('returned', LOST);
    const { replies, clock } = set(publisher);
    const stop = replies.beat(CALLER, 4);
    await clock.advance(4_500);
    stop();
    await clock.advance(4_000);
    expect(publisher.messages).toEqual([
      { result: null, failure: null, ending: false, _msg_id: 'm1', _unique_id: 'id1' },
      { result: null, failure: null, ending: false, _msg_id: 'm1', _unique_id: 'id2' },
    ]);
  });

  it.each([undefined, null, 0, 1.9])('is not sent for a timeout of %s', async (timeout) => {
    const publisher = new ScriptedPublisher();
    const { replies, clock } = set(publisher);
    replies.beat(CALLER, timeout);
    await clock.advance(10_000);
    expect(publisher.published).toEqual([]);
  });
});
