import { describe, expect, it } from 'vitest';
import { openDeclaredChannel } from '../../src/amqp/declared-channel.ts';
import type { Topology } from '../../src/amqp/topology.ts';
import { connectionWith, different, FakeChannel } from './fake-channel.ts';

const plain = { durable: false, autoDelete: false, arguments: {} };
const TOPOLOGY: Topology = {
  exchanges: [{ ...plain, name: 'trove', type: 'topic' }],
  queues: [{ ...plain, name: 'guest', exclusive: false, deleteOnStop: false }],
  bindings: [],
};

/** Opens one of these channels; also what was different. */
async function open(channels: FakeChannel[], over?: AbortSignal) {
  const differences: string[] = [];
  const { channel, closed } = await openDeclaredChannel(
    connectionWith(channels, over),
    (model) => model.createChannel(),
    TOPOLOGY,
    ({ what }) => differences.push(what),
  );
  return { channel, closed, differences };
}

const differs = (call: string): FakeChannel =>
  new FakeChannel((name, subject) =>
    name === call ? different(`queue '${String(subject)}'`) : undefined,
  );

describe('openDeclaredChannel', () => {
  it('uses the first channel when nothing is different at the broker', async () => {
    const [first, second] = [new FakeChannel(), new FakeChannel()];
    const { channel, differences } = await open([first, second]);
    expect(channel).toBe(first);
    expect(differences).toEqual([]);
    expect(second.calls).toEqual([]);
  });

  it('reports each difference, opens another channel and uses the thing as it is', async () => {
    const last = new FakeChannel();
    const { channel, differences } = await open([
      differs('assertExchange'),
      differs('assertQueue'),
      last,
    ]);
    expect(channel).toBe(last);
    expect(differences).toEqual(['exchange trove', 'queue guest']);
    expect(last.done).toEqual(['checkExchange trove', 'checkQueue guest']);
  });

  it('opens no other channel after any other failure', async () => {
    const failure = new Error('403 ACCESS_REFUSED');
    const [first, second] = [new FakeChannel(() => failure), new FakeChannel()];
    await expect(open([first, second])).rejects.toBe(failure);
    expect(second.calls).toEqual([]);
  });

  it('is closed with the error of the channel as the reason', async () => {
    const channel = new FakeChannel();
    const { closed } = await open([channel]);
    channel.emit('error', new Error('the broker says no'));
    channel.emit('close');
    expect(await closed).toBe('the broker says no');
  });

  it('is closed when its connection is over, also if it was so before', async () => {
    const over = new AbortController();
    const { closed } = await open([new FakeChannel()], over.signal);
    over.abort();
    expect(await closed).toBe('closed');
    expect(await (await open([new FakeChannel()], over.signal)).closed).toBe('closed');
  });
});
