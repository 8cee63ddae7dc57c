// What a guest does when messages to itself do not arrive (with the real broker: built/lost-binding.test.ts).
import { beforeEach, describe, expect, it } from 'vitest';
import { NotSent, type OutgoingMessage, type PublishOutcome } from '../../src/amqp/message.ts';
import { Reachability } from '../../src/amqp/reachability.ts';
import type { ExchangeDeclaration, QueueDeclaration, Topology } from '../../src/amqp/topology.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';

const FLAGS = { durable: false, autoDelete: false, exclusive: false, deleteOnStop: false };
const queue = (name: string, type = ''): QueueDeclaration => {
  const args: Record<string, string> = type === '' ? {} : { 'x-queue-type': type };
  return { name, ...FLAGS, arguments: args };
};
const exchange = (name: string): ExchangeDeclaration => {
  return { name, type: 'topic', durable: false, autoDelete: false, arguments: {} };
};
const TOPOLOGY: Topology = {
  exchanges: [exchange('x'), exchange('fan')],
  queues: [queue('a'), queue('b', 'quorum'), queue('s', 'stream')],
  bindings: [
    ...['a', 'b'].map((name) => ({ queue: name, exchange: 'x', routingKey: name })),
    { queue: 's', exchange: 'fan', routingKey: '' },
  ],
};
/** What each proof declares, and what is declared after one that failed. */
const [STREAMS, ALL] = [['s'], ['a', 'b', 's']];

type Answer = PublishOutcome | 'arrives' | Error;

let clock: ManualClock;
let reachability: Reachability;
/** What becomes of each message to a queue; those that are left out arrive. */
let answers: Record<string, Answer[]>;
let sent: OutgoingMessage[];
/** The queues that were declared again, time by time. */
let declared: string[][];
let whats: Topology[];
/** Why declaring fails, time by time; null or left out: it does not. */
let refusals: (string | null)[];
let given: string[];
let texts: string[];
let ending: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  reachability = new Reachability();
  answers = {};
  [sent, given] = [[], []];
  [declared, whats, refusals] = [[], [], []];
  ending = new AbortController();
});

function publish(message: OutgoingMessage): Promise<PublishOutcome> {
  sent.push(message);
  const answer = answers[message.routingKey]?.shift() ?? 'arrives';
  if (answer instanceof Error) return Promise.reject(answer);
  if (answer !== 'arrives') return Promise.resolve(answer);
  expect(reachability.delivered(message.routingKey, message.properties.headers ?? {})).toBe(true);
  return Promise.resolve('confirmed');
}

/** One proof; time goes on while it waits. */
async function prove(): Promise<void> {
  const { log, texts: said } = recordingLog();
  texts = said;
  const proof = reachability.prove(
    {
      topology: TOPOLOGY,
      publisher: { publish },
      declare: (what) => {
        whats.push(what);
        declared.push(what.queues.map(({ name }) => name));
        const refusal = refusals.shift() ?? null;
        return refusal === null ? Promise.resolve() : Promise.reject(new Error(refusal));
      },
      giveUp: (why) => given.push(why),
      clock,
      random: () => 0.5,
      log,
    },
    ending.signal,
  );
  await clock.advance(130_000);
  await proof;
}

describe('a proof', () => {
  it('takes the way of callers to each queue; streams get no message and are declared again', async () => {
    await prove();
    expect(sent.map(({ exchange, routingKey }) => [exchange, routingKey])).toEqual([
      ['x', 'a'],
      ['x', 'b'],
    ]);
    expect(sent[0]).toMatchObject({ mandatory: true, properties: { expiration: '60000' } });
    expect([declared, given, texts]).toEqual([[STREAMS], [], []]);
  });

  it.each<[string, Answer]>([
    ['is returned', 'returned'],
    ['does not arrive', 'confirmed'],
    ['has no exchange', new Error('404 (NOT-FOUND)')],
  ])(
    'whose message %s has all declared again, and goes on when the next arrives',
    async (_, answer) => {
      answers = { b: [answer] };
      await prove();
      expect([declared, given]).toEqual([[STREAMS, ALL, STREAMS], []]);
      expect(texts).toEqual(['this guest could not be reached; all is declared again']);
      expect(reachability.concern).toBeNull();
    },
  );

  it('that fails twice gives the connection up and is a concern until one succeeds', async () => {
    answers = { a: ['confirmed', 'confirmed'] };
    await prove();
    const why = 'exchange x with key a to queue a: nothing arrived in 60 s';
    expect(given).toEqual([why]);
    expect(reachability.concern?.text).toContain(why);
    await prove();
    expect(texts).toEqual(['this guest can be reached again']);
    expect(reachability.concern).toBeNull();
  });

  it('declares a stream with its exchange and binding, and nothing else', async () => {
    await prove();
    expect(whats[0]).toEqual({
      exchanges: [exchange('fan')],
      queues: [queue('s', 'stream')],
      bindings: [{ queue: 's', exchange: 'fan', routingKey: '' }],
    });
  });

  it('of which a stream cannot be declared fails like one whose message does not arrive', async () => {
    const why = 'declaring the streams again failed: no';
    refusals = ['no', null, 'no'];
    await prove();
    expect([declared, given]).toEqual([[STREAMS, ALL, STREAMS], [why]]);
    expect(reachability.concern?.text).toContain(why);
    expect(sent).toEqual([]);
  });

  it('says nothing while the broker takes no messages', async () => {
    answers = { a: [new NotSent('blocked')], b: [new NotSent('blocked')] };
    await prove();
    expect([declared, given, texts]).toEqual([[STREAMS], [], []]);
  });

  it.each<[string, Record<string, Answer[]>]>([
    ['at once', { a: [new NotSent('blocked')] }],
    ['on one of its ways', { b: [new NotSent('blocked')] }],
    ['when all is declared again', { a: ['returned', new NotSent('blocked')] }],
  ])('that the broker does not take, %s, ends no concern', async (_, blocked) => {
    answers = { a: ['confirmed', 'confirmed'] };
    await prove();
    const { concern } = reachability;
    answers = blocked;
    await prove();
    expect(reachability.concern).toEqual(concern);
    expect(given).toHaveLength(1);
    await prove();
    expect(reachability.concern).toBeNull();
  });

  it('is content with any delivery: its own message waits behind what others sent', async () => {
    answers = { a: ['confirmed'] };
    const proof = prove();
    while (sent.length === 0) await Promise.resolve();
    expect(reachability.delivered('a', {})).toBe(false);
    await proof;
    expect([declared, given]).toEqual([[STREAMS], []]);
  });
});

it('is made every three minutes, and at once after one that failed', async () => {
  const { log } = recordingLog();
  const parts = {
    topology: TOPOLOGY,
    publisher: { publish },
    declare: () => Promise.resolve(),
    giveUp: () => {
      ending.abort();
    },
    clock,
    random: () => 0.5,
    log,
  };
  const running = reachability.run(parts, ending.signal);
  await clock.advance(179_999);
  expect(sent).toEqual([]);
  await clock.advance(1);
  expect(sent).toHaveLength(2);
  answers = { a: ['returned', 'returned'] };
  await clock.advance(180_000);
  await running;
  expect(sent).toHaveLength(4);
  ending = new AbortController();
  const again = reachability.run(parts, ending.signal);
  await clock.advance(0);
  expect(sent).toHaveLength(6);
  expect(reachability.concern).toBeNull();
  ending.abort();
  await again;
});
