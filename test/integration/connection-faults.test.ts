import type { FindAddresses } from '../../src/host/dial.ts';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { bits, long, methodFrame, short, shortString } from '../helpers/amqp-frames.ts';
import { SAYS, SessionLab } from '../helpers/session-lab.ts';
import { until } from '../helpers/until.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { Broker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';

const broker = new Broker(inject('broker'));
/** The session opens its channels in this order. */
const CHANNELS = { publisher: 1, consumers: 2 };

let lab: SessionLab;

beforeEach(async () => {
  lab = await SessionLab.open(broker);
});

afterEach(async () => {
  await lab.close();
});

describe('a session recovers from', () => {
  it('a half-open connection', async () => {
    const proxy = await lab.startProxy();
    const patient = await lab.startSession({ ...lab.through(proxy), consumers: [] });
    const session = await lab.startSession({ ...lab.through(proxy), heartbeatSeconds: 3 });
    const record = {
      fault:
        'A half-open connection, found within heartbeat_timeout_threshold (3 s here, 60 s by default)',
      from: 'the last byte',
    };
    await lab.recovers(session, record, () => proxy.freeze());
    expect(lab.said(SAYS.lost)).toBe(1);
    expect(patient.connected, 'the default gives the same silence 60 s').toBe(true);
  });

  it('a connection that is cut without a word', async () => {
    const session = await lab.startSession();
    const record = { fault: 'The connection is cut without a word', from: 'the cut' };
    await lab.recovers(session, record, () => broker.cutAllConnections(lab.vhost));
  });

  it('a connection that an operator closes (320)', async () => {
    const session = await lab.startSession();
    const record = {
      fault: 'An operator closes the connection (320 CONNECTION_FORCED)',
      from: 'the close',
    };
    await lab.recovers(session, record, () => broker.closeAllConnections(lab.vhost));
  });

  it('a connection that is closed by 504', async () => {
    const proxy = await lab.startProxy();
    const session = await lab.startSession(lab.through(proxy));
    const onClosedChannel = methodFrame(99, [60, 10], long(0), short(0), bits());
    const record = { fault: 'Connection closed by 504 (CHANNEL_ERROR)', from: 'the error' };
    await lab.recovers(session, record, () => proxy.toServer(onClosedChannel));
    expect(lab.said(SAYS.lost)).toBe(1);
  });

  // What the broker answers with these errors, put onto the session's own channels.
  const CAUSES = {
    /** basic.consume of a queue that is not there. */
    '404 (NOT_FOUND)': (channel: number) =>
      methodFrame(channel, [60, 20], short(0), shortString('none'), short(0), long(0)),
    /** queue.declare, passive, of a queue that another connection has to itself. */
    '405 (RESOURCE_LOCKED)': (channel: number) =>
      methodFrame(channel, [50, 10], short(0), shortString('locked'), bits(true), long(0)),
    /** basic.ack of what was not delivered. */
    '406 (PRECONDITION_FAILED)': (channel: number) =>
      methodFrame(channel, [60, 80], long(0), long(999), bits()),
  };
  it.each(
    Object.entries(CAUSES).flatMap(([error, cause]) =>
      Object.entries(CHANNELS).map(([channel, id]) => ({ error, channel, frame: cause(id) })),
    ),
  )('the $channel channel closed by $error', async ({ error, channel, frame }) => {
    const proxy = await lab.startProxy();
    const session = await lab.startSession(lab.through(proxy));
    const other = await lab.otherProgram();
    await other.assertQueue('locked', { exclusive: true });
    const record = { fault: `Channel of the ${channel} closed by ${error}`, from: 'the error' };
    await lab.recovers(session, record, () => proxy.toServer(frame));
    expect(lab.said(`AMQP ${channel} lost; opening it again`)).toBe(1);
    expect(lab.said(SAYS.lost)).toBe(0); // no more than the channel
  });

  it('a cancelled consumer', async () => {
    const proxy = await lab.startProxy();
    const session = await lab.startSession(lab.through(proxy));
    const cancel = methodFrame(CHANNELS.consumers, [60, 30], shortString('1'), bits(true));
    const record = { fault: 'The broker cancels a consumer', from: 'basic.cancel' };
    await lab.recovers(session, record, () => proxy.toClient(cancel));
    expect(lab.said(SAYS.lost)).toBe(0);
  });

  it('the deletion of its queue', async () => {
    const session = await lab.startSession();
    const record = { fault: 'Its queue is deleted', from: 'the deletion' };
    await lab.recovers(session, record, () => broker.deleteQueue(lab.vhost, 'q'));
    expect(lab.said(SAYS.lost)).toBe(0);
  });

  it('an hour of refused connections, with growing pauses', async () => {
    const clock = new WatchedClock();
    const [port] = (await freePorts(1)) as [number];
    const brokers = [{ ...lab.address, port }];
    const session = lab.makeSession({ brokers, clock, random: () => 1 }); // 1: the most jitter
    session.start();
    const pauses: number[] = [];
    while (clock.monotonic() < 3_600_000) {
      await until('one more attempt failed', () => lab.said(SAYS.failed) > pauses.length);
      const pause = await clock.untilWaiting();
      const cap = clock.monotonic() < 300_000 ? 5_000 : 30_000;
      expect(pause).toBeLessThanOrEqual(cap);
      pauses.push(pause);
      await clock.advance(pause);
    }
    expect(pauses.slice(0, 3)).toEqual([0, 312.5, 625]); // the first retry is at once
    expect(pauses).toContain(5_000);
    expect(pauses.at(-1)).toBe(30_000);

    await until('one more attempt failed', () => lab.said(SAYS.failed) > pauses.length);
    await lab.startProxy({ port });
    const record = {
      fault: 'Connections are refused for an hour (by an injected clock)',
      from: 'the next attempt, after 30 s at most',
    };
    await lab.recovers(session, record, () => clock.advance(30_000));
  });

  it('a host that takes connections and says nothing', async () => {
    const proxy = await lab.startProxy({ rewrite: () => Buffer.alloc(0) });
    const clock = new WatchedClock();
    const brokers = [{ ...lab.address, port: proxy.port }, lab.address];
    const session = lab.makeSession({ brokers, clock, random: () => 0 });
    session.start();
    await until('it waits', () => clock.delays[0] === 10_000 && proxy.connections === 1);
    const record = { fault: 'A host that says nothing; there is another', from: '10 s' };
    await lab.recovers(session, record, () => clock.advance(10_000));
    expect(proxy.connections).toBe(0);
    expect(lab.said('a broker was passed over')).toBe(1);
  });

  it('DNS that comes later', async () => {
    let known = false;
    const findAddresses: FindAddresses = (name) => {
      const error = Object.assign(new Error(`ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
      return known ? Promise.resolve([{ address: '127.0.0.1', family: 4 }]) : Promise.reject(error);
    };
    const brokers = [{ ...lab.address, host: 'broker.example' }];
    const session = lab.makeSession({ brokers, findAddresses });
    session.start();
    await until('two attempts failed', () => lab.said(SAYS.failed) >= 2);
    const record = { fault: 'DNS that comes later', from: 'the name is known' };
    await lab.recovers(session, record, () => {
      known = true;
    });
  });

  it('a confirm that never comes: whoever published hears of it after 20 s', async () => {
    const proxy = await lab.startProxy();
    const clock = new WatchedClock();
    const silent = { heartbeatSeconds: 0, clock };
    const session = await lab.startSession({ ...lab.through(proxy), ...silent });
    proxy.freeze();
    const published = session.publish(lab.message('lost'));
    const rejected = expect(published).rejects.toMatchObject({
      message: 'the broker confirmed nothing for 20000 ms',
      retryable: true,
    });
    await clock.advance(20_000);
    await rejected;
    proxy.close();
  });

  it('a broker that closes the connection in the breath in which it opens it', async () => {
    const openOk = methodFrame(0, [10, 41], shortString(''));
    const close = methodFrame(0, [10, 50], short(320), shortString('bye'), short(0), short(0));
    let times = 0;
    const proxy = await lab.startProxy({
      rewrite: (chunk) =>
        chunk.includes(openOk) && times++ === 0 ? Buffer.concat([chunk, close]) : chunk,
    });
    const session = await lab.startSession(lab.through(proxy));
    expect(times).toBe(2);
    await lab.expectService(session, 'at the second attempt');
  });

  it('a cut at any byte of its start', async () => {
    let bytes = 0;
    const counting = await lab.startProxy({
      rewrite: (chunk) => {
        bytes += chunk.length;
        return chunk;
      },
    });
    await (await lab.startSession(lab.through(counting))).stop();
    const start = bytes;
    expect(start).toBeGreaterThan(500);
    for (let cutAfter = 1; cutAfter < start; cutAfter += 7) {
      const proxy = await lab.startProxy({ cutAfter });
      await (await lab.startSession(lab.through(proxy))).stop();
      proxy.close();
    }
  });
});
