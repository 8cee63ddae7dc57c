import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { connect, type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker, startBroker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';
import { isRunning, processTree, type ProcessIdentity } from '../peers/processes.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';

const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const QUEUE = { durable: false, autoDelete: false, exclusive: false };

const broker = new Broker(inject('broker'));
let vhost: string;
let amqp: ChannelModel;

beforeAll(async () => {
  vhost = await broker.createVhost();
  amqp = await client(broker, vhost);
});

afterAll(async () => {
  await amqp.close().catch(() => undefined);
  await broker.deleteVhost(vhost);
});

/** A plain AMQP connection; its end by the broker is no error of the test. */
async function client(to: Broker, vhost: string): Promise<ChannelModel> {
  const model = await connect(to.url(vhost).replace('rabbit:', 'amqp:'));
  model.on('error', () => undefined);
  return model;
}

describe('broker', () => {
  it('lists the queues of one vhost with messages and consumers', async () => {
    const channel = await amqp.createChannel();
    await channel.assertQueue('full', { ...QUEUE, arguments: { 'x-expires': 60_000 } });
    await channel.assertQueue('read', { ...QUEUE, durable: true });
    await channel.consume('read', () => undefined);
    channel.sendToQueue('full', Buffer.from('one'));
    channel.sendToQueue('read', Buffer.from('two'));

    const queues = await until('both messages are counted', async () => {
      const list = await broker.listQueues(vhost);
      return list.every(({ messages }) => messages === 1) && list;
    });
    const byName = queues.toSorted((a, b) => a.name.localeCompare(b.name));
    expect(byName).toMatchObject([
      { name: 'full', unacknowledged: 0, consumers: 0, durable: false, autoDelete: false },
      { name: 'read', unacknowledged: 1, consumers: 1, durable: true, autoDelete: false },
    ]);
    expect(byName.map((queue) => queue.arguments)).toEqual([{ 'x-expires': 60_000 }, {}]);
  });

  it('deletes a queue under its consumer, who is told', async () => {
    const channel = await amqp.createChannel();
    await channel.assertQueue('gone', QUEUE);
    const received: unknown[] = [];
    await channel.consume('gone', (message) => received.push(message));
    await broker.deleteQueue(vhost, 'gone');
    await until('the consumer is told', () => received.length > 0);
    expect(received).toEqual([null]);
    expect(await broker.queue(vhost, 'gone')).toBeUndefined();
  });

  it('closes or cuts the connections of one vhost only', async () => {
    const other = await broker.createVhost();
    const [closed, cut] = [await client(broker, other), await client(broker, other)];
    const [whyClosed, whyCut] = [once(closed, 'close'), once(cut, 'close')];

    expect(await broker.closeAllConnections(other)).toBe(2);
    expect(String(await whyClosed)).toContain('CONNECTION-FORCED');
    await whyCut;

    const again = await client(broker, other);
    const error = once(again, 'error');
    await until('it is known', async () => (await broker.cutAllConnections(other)) === 1);
    expect(String(await error)).not.toContain('CONNECTION-FORCED');
    await broker.deleteVhost(other);
    await (await amqp.createChannel()).close(); // the connection in the first vhost still works
  });

  it('says what it was asked to do and could not', async () => {
    await expect(broker.deleteQueue(vhost, 'no "such" queue')).rejects.toThrow(/not_found/);
  });

  it('freezes, goes on, and leaves nothing behind when it is stopped', async () => {
    const own = await startBroker(await temporaryDirectory());
    const processes = [own.description.epmd, ...processTree(own.description.server)];
    try {
      const name = await own.createVhost();
      own.pause();
      const connection = client(own, name);
      const first = await Promise.race([connection, sleep(300)]);
      expect(first, 'a frozen broker answered').toBe('nothing');
      own.resume();
      await (await connection).close();
    } finally {
      await own.stop();
    }
    expect(processes.length).toBeGreaterThan(2);
    expect(processes.filter(isRunning)).toEqual([]);
    await expect(client(own, '/')).rejects.toThrow('ECONNREFUSED');
    await own.stop(); // a second time does no harm
  });
});

const sleep = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(resolve, ms, 'nothing'));

describe('child', () => {
  it('ends with the process that started it, even by SIGKILL', async () => {
    const directory = await temporaryDirectory();
    const entry = path.join(directory, 'parent.ts');
    await writeFile(
      entry,
      `import { startChild } from ${JSON.stringify(path.join(projectRoot, 'test/peers/child.ts'))};
      void startChild('/bin/sleep', ['600'], { cwd: '/', env: {}, stdio: 'ignore' }).then(
        ({ identity }) => console.log(JSON.stringify(identity)));`,
    );
    const parent = spawn(process.execPath, [await bundle(entry, directory)]);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = JSON.parse(line.toString()) as ProcessIdentity;
    expect(isRunning(child)).toBe(true);
    parent.kill('SIGKILL');
    await until('the child is gone', () => !isRunning(child));
  });
});

describe('freePorts', () => {
  it('hands out ports that differ, below those of outgoing connections', async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });
});

describe('guest files', () => {
  it('are what Trove 18 puts into a VM', () => {
    const id = '11111111-aaaa-4bbb-8ccc-000000000003';
    expect(guestInfoConf({ id, key: KEY })).toBe(
      `[DEFAULT]\nguest_id=${id}\ndatastore_manager=k2hdkc\ndatastore_version=1.0.14\n` +
        `tenant_id=11112222333344445555666677778888\ninstance_rpc_encr_key=${KEY}\n`,
    );
    expect(guestInfoConf({ id, key: null })).not.toContain('instance_rpc_encr_key');
  });

  it('are read by oslo.config', async () => {
    const directory = await temporaryDirectory();
    const settings = { transportUrl: 'rabbit://u:p@127.0.0.1:1/v', controlExchange: 'trove' };
    const mountPoint = '/mnt/data';
    await writeFile(path.join(directory, 'a.conf'), guestInfoConf({ id: 'one', key: KEY }));
    await writeFile(
      path.join(directory, 'b.conf'),
      troveGuestagentConf({ ...settings, mountPoint }),
    );
    const program = `
from oslo_config import cfg
conf = cfg.ConfigOpts()
names = ['guest_id', 'instance_rpc_encr_key', 'transport_url', 'control_exchange']
conf.register_opts([cfg.StrOpt(name) for name in names])
conf.register_opts([cfg.StrOpt('mount_point')], group='k2hdkc')
conf(['--config-dir', '${directory}'], project='x')
print('|'.join([conf[name] for name in names] + [conf.k2hdkc.mount_point]))`;
    const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', program]);
    expect(stdout.trim().split('|')).toEqual(['one', KEY, ...Object.values(settings), mountPoint]);
  });
});
