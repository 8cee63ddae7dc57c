// RabbitMQ 4.3 refuses queues that are neither durable nor exclusive, which oslo.messaging declares by default.
// Debian has 3.10: in front of it stands a door that refuses them as 4.3 does.
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { AmqpSession } from '../../../src/amqp/session.ts';
import { noSuchMethod } from '../../../src/oslo/failure.ts';
import { methodFrame, short, shortString } from '../../helpers/amqp-frames.ts';
import { makeOsloGuest } from '../../helpers/oslo-guest.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { TcpProxy } from '../../helpers/tcp-proxy.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';

const broker = new Broker(inject('broker'));
const SAYS =
  'INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\n' +
  'By default, this feature is not permitted anymore.\nThe feature will be rem...';
const CLOSE = methodFrame(0, [10, 50], short(541), shortString(SAYS), short(50), short(10));

/** Whether a chunk has a queue.declare of a queue that is neither durable nor exclusive. */
function declaresTransient(chunk: Buffer): boolean {
  for (let at = 0; chunk.length >= at + 14; at += 8 + chunk.readUInt32BE(at + 3)) {
    const isDeclare = chunk[at] === 1 && chunk.readUInt32BE(at + 7) === 0x0032000a;
    const flags = chunk[at + 14 + (chunk[at + 13] ?? 0)] ?? 0;
    const [PASSIVE, DURABLE, EXCLUSIVE] = [1, 2, 4];
    if (isDeclare && (flags & (PASSIVE | DURABLE | EXCLUSIVE)) === 0) return true;
  }
  return false;
}

let vhost: string;
let door: TcpProxy;
let refusals: number;
/** The frame_max of each connection, by its tune-ok. */
let frameMax: number[];
let guest: AmqpSession | undefined;

beforeEach(async () => {
  vhost = await broker.createVhost();
  refusals = 0;
  frameMax = [];
  door = await TcpProxy.start(broker.description.port, {
    answer: (chunk) => {
      if (chunk[0] === 1 && chunk.readUInt32BE(7) === 0x000a001f) {
        frameMax.push(chunk.readUInt32BE(13));
      }
      if (!declaresTransient(chunk)) return undefined;
      refusals++;
      return CLOSE;
    },
  });
});

afterEach(async () => {
  await guest?.stop();
  guest = undefined;
  door.close();
  await broker.deleteVhost(vhost);
});

/** Starts a guest with these options that reaches the broker through the door. */
function start(options: string) {
  const recorded = recordingLog('info');
  const url = broker.url(vhost).replace(`:${broker.description.port}`, `:${door.port}`);
  guest = makeOsloGuest({
    topic: 'guestagent.g1',
    server: 'g1',
    config: `[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_rabbit]\n${options}\n`,
    dispatcher: { dispatch: ({ method }) => Promise.reject(noSuchMethod(method)) },
    log: recorded.log,
    session: { backoff: { first: 0, second: 1, cap: 1, jitter: 0 } },
  });
  guest.start();
  return { ...recorded, session: guest };
}

it('RabbitMQ 4.1 refuses a frame_max below 8192: the agent takes what the broker offers', async () => {
  start('');
  await until('the frame_max is settled', () => frameMax.length > 0);
  expect(frameMax[0]).toBe(131_072);
});

describe('RabbitMQ 4.3', () => {
  it('that refuses transient queues is told once, with the options to set', async () => {
    const { lines } = start('');
    await until('it was tried five times', () => refusals >= 5);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'AMQP connection open',
      'AMQP connection lost; opening it again',
    ]);
    expect(lines[1]?.['reason']).toBe(
      'RabbitMQ 4.3 refuses queues that are neither durable nor exclusive; set rabbit_quorum_queue and rabbit_transient_quorum_queue (or rabbit_stream_fanout) in [oslo_messaging_rabbit] here and in Trove, or deprecated_features.permit.transient_nonexcl_queues = true at the broker',
    );
  });

  it.each([
    ['quorum queues', 'rabbit_quorum_queue = true\nrabbit_transient_quorum_queue = true'],
    [
      'durable queues and a stream',
      'amqp_durable_queues = true\nrabbit_transient_quorum_queue = true\nrabbit_stream_fanout = true\nrabbit_qos_prefetch_count = 10',
    ],
  ])('serves a guest with %s', async (_, options) => {
    const { session } = start(options);
    await until('it is connected', () => session.connected);
    expect(refusals).toBe(0);
  });

  it('has the same answer for a guest with amqp_durable_queues alone: its fanout queue is transient', async () => {
    start('amqp_durable_queues = true');
    await until('it is refused', () => refusals > 0);
  });
});
