import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { identify, isRunning } from '../peers/processes.ts';
import { startTrove, type TrovePeer } from '../peers/trove/trove-peer.ts';

const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const QUEUE = { durable: false, autoDelete: false, exclusive: false };

const broker = new Broker(inject('broker'));
let vhost: string;
let amqp: ChannelModel;

beforeAll(async () => {
  vhost = await broker.createVhost();
  amqp = await client();
});

afterAll(async () => {
  await amqp.close().catch(() => undefined);
  await broker.deleteVhost(vhost);
});

/** A plain AMQP connection; its end by the broker is no error of the test. */
async function client(): Promise<ChannelModel> {
  const model = await connect(broker.url(vhost).replace('rabbit:', 'amqp:'));
  model.on('error', () => undefined);
  return model;
}

describe('Trove', () => {
  let directory: string;
  let trove: TrovePeer;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-agent-'));
    trove = await startTrove({
      directory,
      transportUrl: broker.url(vhost),
      controlExchange: 'trove',
    });
    await trove.addInstance({ id: 'keyed', name: 'keyed', key: KEY, clusterId: 'cluster' });
    await trove.addInstance({ id: 'plain', name: 'plain', key: null });
  });

  afterAll(async () => {
    await trove.stop();
    await rm(directory, { recursive: true });
  });

  /** Publishes to the conductor as little as it accepts (docs/contracts/trove.md, 5.3). */
  async function publish(method: string, args: object, context: object = {}): Promise<void> {
    const channel = await amqp.createConfirmChannel();
    const body = JSON.stringify({
      'oslo.version': '2.0',
      'oslo.message': JSON.stringify({ method, args, ...context }),
    });
    const options = { contentType: 'application/json' };
    channel.publish('trove', 'trove-conductor', Buffer.from(body), options);
    await channel.waitForConfirms();
    await channel.close();
  }

  it('takes a heartbeat into its database, and the tap sees every message', async () => {
    expect(await trove.serviceStatus('plain')).toMatchObject({ status: 'new' });
    // One after the other: the conductor runs them side by side, and loses one if both find that
    // no message of this instance was seen before.
    for (const [sent, status] of ['building', 'healthy', 'healthy'].entries()) {
      const payload = { service_status: status };
      await publish('heartbeat', { instance_id: 'plain', sent: sent + 1, payload });
      const { updatedAt } = await trove.waitForStatus('plain', status);
      expect(Math.abs(Date.parse(updatedAt ?? '') - Date.now())).toBeLessThan(60_000);
    }
    await until('the tap saw all', async () => (await trove.published('plain')).length === 3);
    expect(await trove.statusHistory('plain')).toEqual(['building', 'healthy']);
    expect(await trove.published('plain')).toMatchObject([
      { method: 'heartbeat', args: { sent: 1 }, encrypted: false },
      { method: 'heartbeat', args: { sent: 2 } },
      { method: 'heartbeat', args: { sent: 3 } },
    ]);
    expect(await trove.published('keyed')).toEqual([]);
  });

  it('says what the status is when it is not the one waited for', async () => {
    await expect(trove.waitForStatus('keyed', 'healthy', 100)).rejects.toThrow(
      'keyed is new, not healthy, after 100 ms; published: nothing',
    );
  });

  it('keeps the fault that a failed method reports, and shows that it was accepted', async () => {
    const trove_notification = {
      instance_id: 'plain',
      notification_classname: 'trove.common.notification.DBaaSInstanceCreate',
      request_id: 'req-1',
      server_type: 'guest',
      client_ip: '127.0.0.1',
      server_ip: '127.0.0.1',
      tenant_id: 'tenant',
    };
    await publish(
      'notify_exc_info',
      { serialized_notification: trove_notification, message: 'no space', exception: ['line'] },
      { _context_trove_notification: trove_notification },
    );
    const [accepted] = await until('it was accepted', () => {
      const list = trove.notifications('plain');
      return list.length > 0 && list;
    });
    expect(accepted).toMatchObject({ type: 'instance_create', qualifier: 'error' });
    expect(await trove.instanceFaults('plain')).toMatchObject([{ message: 'no space' }]);
    expect(await trove.instanceFaults('keyed')).toEqual([]);
  });

  it('gives up on a guest that is not there, and serves others meanwhile', async () => {
    const ping = trove.api('keyed', 'rpc_ping', {}, { timeout: 1 });
    const others = await Promise.all([trove.serviceStatus('keyed'), trove.instanceFaults('keyed')]);
    expect(others).toMatchObject([{ status: 'new' }, []]);
    await expect(ping).rejects.toMatchObject({
      className: 'GuestError',
      message: expect.stringContaining('Timed out waiting for a reply') as string,
      remote: null,
    });
  });

  it('leaves prepare, encrypted, in a queue that it makes for the guest', async () => {
    const settings = { memory_mb: 512, packages: '', databases: null, users: null };
    await trove.api('keyed', 'prepare', { ...settings, overrides: { secret: 'in clear' } });
    expect(await broker.queue(vhost, 'guestagent.keyed')).toMatchObject({
      messages: 1,
      consumers: 0,
      durable: false,
      autoDelete: false,
    });
    const channel = await amqp.createChannel();
    const message = await channel.get('guestagent.keyed', { noAck: true });
    const body = message === false ? '' : message.content.toString();
    expect(body).toContain('_context_context');
    expect(body).not.toContain('in clear');
  });

  it('attaches the notification of an instance creation to prepare, unless told not to', async () => {
    const settings = { memory_mb: 512, packages: '', databases: null, users: null };
    const channel = await amqp.createChannel();
    for (const notification of [true, false]) {
      await trove.api('plain', 'prepare', settings, { notification });
      const message = await channel.get('guestagent.plain', { noAck: true });
      const body = message === false ? '' : message.content.toString();
      expect(body.includes('DBaaSInstanceCreate')).toBe(notification);
      expect(body).toContain('memory_mb');
    }
  });

  it('shows class and module of what a guest answers, also where oslo drops them', async () => {
    const channel = await amqp.createChannel();
    const failure = { class: 'NoSuchMethod', module: 'oslo_messaging.rpc.dispatcher', tb: [] };
    await channel.assertQueue('guestagent.plain', QUEUE);
    await channel.bindQueue('guestagent.plain', 'trove', 'guestagent.plain');
    const { consumerTag } = await channel.consume(
      'guestagent.plain',
      (message) => {
        const envelope = JSON.parse(message?.content.toString() ?? '') as Record<string, string>;
        const request = JSON.parse(envelope['oslo.message'] ?? '') as Record<string, string>;
        const reply = {
          result: null,
          failure: JSON.stringify({ ...failure, message: `no ${request['version']}` }),
          ending: true,
          _msg_id: request['_msg_id'],
        };
        const options = { contentType: 'application/json' };
        channel.sendToQueue(request['_reply_q'] ?? '', Buffer.from(JSON.stringify(reply)), options);
      },
      { noAck: true },
    );
    await expect(trove.rpc('plain', 'bogus', { a: 1 }, { version: '1.7' })).rejects.toMatchObject({
      className: 'RemoteError',
      remote: { ...failure, message: 'no 1.7' },
    });
    await channel.cancel(consumerTag);
  });

  it('goes on listening after its connections were cut', async () => {
    await broker.cutAllConnections(vhost);
    amqp = await client();
    const payload = { service_status: 'shutdown' };
    await until('the conductor is back', async () => {
      const queue = await broker.queue(vhost, 'trove-conductor');
      return queue?.consumers === 1;
    });
    await publish('heartbeat', { instance_id: 'plain', sent: 100, payload });
    await trove.waitForStatus('plain', 'shutdown');
    await until('the tap saw it', async () =>
      (await trove.statusHistory('plain')).includes('shutdown'),
    );
  });

  it('ends with an error that shows the log when it cannot start', async () => {
    const file = path.join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const options = { directory: `${file}-trove`, transportUrl: 'nonsense', controlExchange: 'x' };
    await expect(startTrove(options)).rejects.toThrow(
      /ended; it said last:[^]*InvalidTransportURL/,
    );
  });

  it('leaves nothing behind when it is stopped', async () => {
    const own = await startTrove({
      directory: await temporaryDirectory(),
      transportUrl: broker.url(vhost),
      controlExchange: 'trove',
      tap: false,
    });
    const processes = own.pids.map((pid) => identify(pid)).filter((found) => found !== undefined);
    expect(processes).toHaveLength(2);
    await own.stop();
    expect(processes.filter(isRunning)).toEqual([]);
    await expect(own.serviceStatus('any')).rejects.toThrow(/ended/);
  });
});
