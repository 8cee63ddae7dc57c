import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { SAYS, SessionLab } from '../../helpers/session-lab.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';

/** Ten times as fast: the limits of a session are 10 and 20 s. */
const clock: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) };

let lab: SessionLab;

beforeEach(async () => {
  lab = await SessionLab.open(new Broker(inject('broker')));
});

afterEach(async () => {
  await lab.close();
});

type Method = [classId: number, methodId: number];

/** Leaves one answer of the broker out of all that it sends; heartbeats and the rest pass. */
function without([classId, methodId]: Method): (chunk: Buffer) => Buffer {
  let left = Buffer.alloc(0);
  return (chunk) => {
    // Another connection begins: connection.start on channel 0.
    if (chunk.subarray(0, 3).equals(Buffer.from([1, 0, 0])) && chunk.readUInt32BE(7) === 0x000a000a)
      left = Buffer.alloc(0);
    left = Buffer.concat([left, chunk]);
    const passed: Buffer[] = [];
    while (left.length >= 8 && left.length >= 8 + left.readUInt32BE(3)) {
      const frame = left.subarray(0, 8 + left.readUInt32BE(3));
      left = left.subarray(frame.length);
      const isMethod = frame[0] === 1 && frame.length >= 12;
      const isIt =
        isMethod && frame.readUInt16BE(7) === classId && frame.readUInt16BE(9) === methodId;
      if (!isIt) passed.push(frame);
    }
    return Buffer.concat(passed);
  };
}

describe('a broker that answers nothing to', () => {
  const ANSWERS: [string, Method][] = [
    ['channel.open', [20, 11]],
    ['confirm.select', [85, 11]],
    ['exchange.declare', [40, 11]],
    ['queue.declare', [50, 11]],
    ['queue.bind', [50, 21]],
    ['basic.qos', [60, 11]],
    ['basic.consume', [60, 21]],
  ];

  it.each(ANSWERS)('%s is given up with a line, and the next one serves', async (_, answer) => {
    const proxy = await lab.startProxy({ rewrite: without(answer) });
    const { brokers: deaf = [] } = lab.through(proxy);
    const brokers = [...deaf, lab.address];
    const session = await lab.startSession({ brokers, clock, prefetch: 16, random: () => 0 });
    await lab.expectService(session, 'through the other');
    expect(lab.said(SAYS.lost)).toBe(1);
    expect(proxy.connections).toBe(0);
  });

  it('messages costs the channel that they went by', async () => {
    const proxy = await lab.startProxy({ rewrite: without([60, 80]) });
    const session = await lab.startSession({ ...lab.through(proxy), clock });
    const lost = 'AMQP publisher lost; opening it again';
    const sent = ['a', 'b'].map((text) => session.publish(lab.message(text)));
    expect(await Promise.allSettled(sent)).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    expect(lab.said(lost)).toBe(0);
    await expect(session.publish(lab.message('c'))).rejects.toThrow('confirmed nothing');
    await until('another channel is opened', () => lab.said(lost) === 1 && session.connected);
    expect(proxy.connections).toBe(1);
  });
});
