import { connect, type Channel, type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bits, long, methodFrame, short, shortString } from '../../helpers/amqp-frames.ts';
import { until } from '../../helpers/until.ts';
import { Attacked } from './attacked.ts';

let attacked: Attacked;
let connection: ChannelModel;

beforeAll(async () => {
  attacked = await Attacked.open();
  const { broker, vhost } = attacked.stage;
  connection = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  connection.on('error', () => undefined);
});

afterAll(async () => {
  await connection.close().catch(() => undefined);
  await attacked.close();
});

/** A frame of AMQP 0-9-1. */
function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([type]), short(channel), long(payload.length)]);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

const sized = (bytes: Buffer): Buffer => Buffer.concat([long(bytes.length), bytes]);

/** Tables, or lists, in one another. */
function nested(tag: 'F' | 'A', depth: number): Buffer {
  const key = tag === 'F' ? shortString('a') : Buffer.alloc(0);
  const each = key.length + 5;
  const inner = Buffer.alloc(depth * each);
  for (let n = 0; n < depth; n++) {
    const rest = (depth - n - 1) * each;
    Buffer.concat([key, Buffer.from(tag), long(rest)]).copy(inner, n * each);
  }
  if (tag === 'F') return inner;
  return Buffer.concat([shortString('a'), inner]);
}

/** Publishes to the guest's queue with these bytes for the table of headers. */
async function publish(headers: Buffer, content = '{}'): Promise<void> {
  const channel = (await connection.createChannel()) as Channel & { ch: number };
  const number = channel.ch;
  const HEADERS = 0x2000;
  const { stream } = (connection as unknown as { connection: { stream: NodeJS.WritableStream } })
    .connection;
  const to = [shortString('trove'), shortString(`guestagent.${attacked.actor.id}`)];
  stream.write(methodFrame(number, [60, 40], short(0), ...to, bits(false)));
  const size = Buffer.concat([long(0), long(content.length)]);
  const facts = Buffer.concat([short(60), short(0), size, short(HEADERS), sized(headers)]);
  stream.write(frame(2, number, facts));
  stream.write(frame(3, number, Buffer.from(content)));
  await channel.close();
}

describe('a stranger whose headers', () => {
  it.each([
    ['are tables in one another', nested('F', 15_000)],
    ['are lists in one another', nested('A', 20_000)],
    [
      'have a type of RabbitMQ’s own',
      Buffer.concat([shortString('a'), Buffer.from('L'), long(0), long(0)]),
    ],
  ])('%s stop nothing', async (_, headers) => {
    const { pids } = attacked;
    const { length } = await attacked.actor.vm.log();
    await publish(headers);
    expect(await attacked.answers()).toBe(true);
    expect(attacked.pids).toEqual(pids);
    await until('nothing is left', async () => {
      const { broker, vhost } = attacked.stage;
      const queue = await broker.queue(vhost, `guestagent.${attacked.actor.id}`);
      return queue?.messages === 0;
    });
    const lines = await attacked.linesSince(length);
    expect(lines.filter((line) => line.includes('lost'))).toEqual([]);
    expect(lines.join('\n')).toContain('it names no method');
  });
});
