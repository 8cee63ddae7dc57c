import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { recordFault } from '../helpers/record-fault.ts';
import { SAYS, SessionLab } from '../helpers/session-lab.ts';
import { until } from '../helpers/until.ts';
import { startBroker, type Broker } from '../peers/broker.ts';

/** The frame of a heartbeat. */
const HEARTBEAT = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);

/** A broker of our own: these tests kill it, freeze it, and take its memory. */
let broker: Broker;
let directory: string;
let lab: SessionLab;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-faults-'));
  broker = await startBroker(directory);
});

afterAll(async () => {
  await broker.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  lab = await SessionLab.open(broker);
});

afterEach(async () => {
  await lab.close();
});

describe('a session recovers from', () => {
  it('a broker restart, with all that was not durable gone', async () => {
    const session = await lab.startSession();
    const other = await lab.otherProgram();
    await other.assertQueue('stays', { durable: true });
    const record = {
      fault: 'The broker is killed and started again; non-durable queues are gone',
      from: 'the broker accepts connections',
    };
    await lab.recovers(session, record, () => broker.restart(), 'end');
    const queues = await broker.listQueues(lab.vhost);
    expect(queues.map(({ name }) => name).sort()).toEqual(['q', 'stays']);
  });

  it('SIGSTOP of the broker for longer than heartbeats allow', async () => {
    const session = await lab.startSession({ heartbeatSeconds: 3 });
    broker.pause();
    try {
      await until('the silence is noticed', () => lab.said(SAYS.lost) === 1);
    } catch (error) {
      broker.resume();
      throw error;
    }
    const record = {
      fault: 'The broker is frozen (SIGSTOP) for longer than heartbeat_timeout_threshold',
      from: 'SIGCONT',
    };
    await lab.recovers(session, record, () => broker.resume());
  });

  it('SIGSTOP of the broker for less than that, and nothing is lost', async () => {
    const session = await lab.startSession();
    broker.pause();
    const published = session.publish(lab.message('into the freezer'));
    const first = await Promise.race([published, sleep(systemClock, 300)]);
    broker.resume();
    expect(first, 'a frozen broker answered').toBeUndefined();
    expect(await published).toBe('confirmed');
    await lab.expectService(session, 'afterwards');
    expect(lab.said(SAYS.lost)).toBe(0);
  });

  it('a memory alarm: publishing is refused, consumers and heartbeats go on', async () => {
    let beats = 0;
    const proxy = await lab.startProxy({
      rewrite: (chunk) => {
        if (chunk.includes(HEARTBEAT)) beats += 1;
        return chunk;
      },
    });
    const session = await lab.startSession({ ...lab.through(proxy), heartbeatSeconds: 3 });
    await broker.setMemoryAlarm(true);
    const first = session.publish(lab.message('first')); // the broker blocks whoever publishes
    await until('the broker blocks the connection', () => lab.said(SAYS.blocked) === 1);
    await expect(session.publish(lab.message('more'))).rejects.toMatchObject({
      message: 'the broker takes no messages for now',
      retryable: true,
    });
    await broker.publish(lab.vhost, 'x', 'k', 'from inside');
    await until('the consumer gets messages', () => lab.received.includes('from inside'));
    // So many that the broker would have hung up if none had come from us.
    const enough = beats + 10;
    await until('the broker sends heartbeats', () => beats >= enough);
    expect(lab.said(SAYS.blocked)).toBe(1);
    expect(lab.said(SAYS.lost)).toBe(0);

    await broker.setMemoryAlarm(false);
    const over = systemClock.monotonic();
    await until('the broker takes messages', () =>
      session.publish(lab.message('next')).catch(() => undefined),
    );
    const milliseconds = systemClock.monotonic() - over;
    expect(await first).toBe('confirmed');
    await lab.expectService(session, 'afterwards');
    await until('everything is acknowledged', async () => {
      return (await broker.queue(lab.vhost, 'q'))?.messages === 0;
    });
    await recordFault({
      fault: 'A memory alarm (connection.blocked); connection and consumers stay',
      from: 'the alarm is cleared',
      until: 'publishing',
      milliseconds,
    });
  });

  it('a stop in the middle of a memory alarm, which it does not wait for', async () => {
    const session = await lab.startSession({ stopGrace: 200 });
    await broker.setMemoryAlarm(true);
    try {
      session.publish(lab.message('first')).catch(() => undefined);
      await until('the broker blocks the connection', () => lab.said(SAYS.blocked) === 1);
      await session.stop(); // the alarm outlasts it
    } finally {
      await broker.setMemoryAlarm(false);
    }
  });
});
