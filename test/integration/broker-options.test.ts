import { randomInt } from 'node:crypto';
import { connect } from 'amqplib';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { AmqpSession } from '../../src/amqp/session.ts';
import type { Dispatcher } from '../../src/oslo/rpc-server.ts';
import { newUniqueId } from '../../src/oslo/unique-id.ts';
import { makeOsloGuest } from '../helpers/oslo-guest.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';

const broker = new Broker(inject('broker'));
const TOPIC = 'guestagent.g1';
const NOTHING: Dispatcher = { dispatch: () => Promise.resolve(null) };

let vhost: string;
let guest: AmqpSession | undefined;
let proxies: TcpProxy[];

beforeEach(async () => {
  vhost = await broker.createVhost(`t/${newUniqueId()}`); // a slash, as in /%2Fb
  guest = undefined;
  proxies = [];
});

afterEach(async () => {
  await guest?.stop();
  for (const proxy of proxies) proxy.close();
  await broker.deleteVhost(vhost);
});

/** Starts a guest; resolves with what it logs, and when it consumes. */
async function connected(hosts: string, options = ''): Promise<string[]> {
  const { log, texts } = recordingLog('debug');
  const url = `rabbit://${hosts}/${encodeURIComponent(vhost)}`;
  const config = `[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_rabbit]\n${options}\n`;
  guest = makeOsloGuest({ topic: TOPIC, server: 'g1', config, dispatcher: NOTHING, log });
  guest.start();
  await until('the guest consumes', () => guest?.connected);
  return texts;
}

/** user:password of a new user of the vhost, percent-encoded. */
async function newUser(name: string, password: string): Promise<string> {
  const user = `${name}-${randomInt(1e9)}`;
  await broker.addUser(user, password, vhost);
  return `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
}

async function proxy(): Promise<TcpProxy> {
  const started = await TcpProxy.start(broker.description.port);
  proxies.push(started);
  return started;
}

describe('transport_url', () => {
  it('may hold a password with a slash and whatever else, percent-encoded', async () => {
    const user = await newUser('a b@c', 'p/a:s@s,w?o#r[d]%2F ü');
    await connected(`${user}@127.0.0.1:${broker.description.port}`);
    expect(await broker.queue(vhost, TOPIC)).toMatchObject({ consumers: 1 });
  });

  it('gives each host its own credentials, and all of them are tried in one round', async () => {
    const [one, two] = [await newUser('one', 'first/1'), await newUser('two', 'second/2')];
    const [first, second] = [await proxy(), await proxy()];
    const [dead] = (await freePorts(1)) as [number];
    const hosts = `${one}@127.0.0.1:${first.port},x:y@127.0.0.1:${dead},${two}@127.0.0.1:${second.port}`;
    const texts = await connected(hosts);
    expect([first.connections, second.connections]).toEqual([1, 0]);

    first.close(); // and then the second host, which is dead, and the third
    await until('it serves again', () => texts.filter((text) => text.includes('ready'))[1]);
    expect([first.connections, second.connections]).toEqual([0, 1]);
    expect(texts.filter((text) => text.includes('a broker was passed over'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('trying again'))).toEqual([]);
  });

  it('goes from a broker that dies to the next and back again', async () => {
    const { user, password, port } = broker.description;
    const [left, right] = [await proxy(), await proxy()];
    await connected(
      `${user}:${password}@127.0.0.1:${left.port},${user}:${password}@127.0.0.1:${right.port}`,
    );
    left.close();
    await until('it is at the right one', () => right.connections === 1);
    const back = await TcpProxy.start(port, { port: left.port });
    proxies.push(back);
    right.close();
    await until('it is at the left one', () => back.connections === 1);
    await until('it consumes there', async () => {
      return (await broker.queue(vhost, TOPIC))?.consumers === 1 && guest?.connected;
    });
  });

  it('names the virtual host that does not exist', async () => {
    const { log, texts } = recordingLog('warn');
    const { user, password, port } = broker.description;
    const reasons: unknown[] = [];
    const config = `[DEFAULT]\ntransport_url = rabbit://${user}:${password}@127.0.0.1:${port}/none\n`;
    log.warn = (facts: { err?: Error }) => void reasons.push(facts.err?.message);
    guest = makeOsloGuest({ topic: TOPIC, server: 'g1', config, dispatcher: NOTHING, log });
    guest.start();
    await until('an attempt failed', () => reasons.length > 0);
    expect(reasons[0]).toMatch(/vhost none, user .*the virtual host does not exist or this user/);
    expect(texts).toEqual([]);
  });
});

describe('rabbit_qos_prefetch_count', () => {
  it('bounds what a guest has in hand', async () => {
    const { user, password, port } = broker.description;
    const { log } = recordingLog('silent');
    const url = `rabbit://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(vhost)}`;
    const options = { prefetch: `${url}?rabbit_qos_prefetch_count=3`, log };
    guest = makeOsloGuest({
      topic: TOPIC,
      server: 'g1',
      config: `[DEFAULT]\ntransport_url = ${options.prefetch}\n`,
      dispatcher: { dispatch: () => new Promise(() => undefined) },
      log,
    });
    guest.start();
    await until('the guest consumes', () => guest?.connected);
    const client = await connect(url.replace('rabbit:', 'amqp:'));
    try {
      const channel = await client.createConfirmChannel();
      for (let i = 0; i < 5; i++) channel.sendToQueue(TOPIC, Buffer.from('{"method":"x"}'));
      await channel.waitForConfirms();
      await until('three are with the guest, and two wait', async () => {
        const queue = await broker.queue(vhost, TOPIC);
        return queue?.messages === 5 && queue.unacknowledged === 3;
      });
    } finally {
      await client.close();
    }
  });
});

describe('a declaration that differs', () => {
  const EXCHANGE = 'openstack';

  it.each([
    ['amqp_durable_queues = true', 'queue guestagent.g1 .*durable is false there and true here.*'],
    ['amqp_auto_delete = true', 'queue guestagent.g1 .*auto_delete is false there and true here.*'],
  ])('names the option that differs: %s', async (option, message) => {
    const { user, password, port } = broker.description;
    await connected(`${user}:${password}@127.0.0.1:${port}`);
    await guest?.stop();
    const texts = await connected(`${user}:${password}@127.0.0.1:${port}`, option);
    const [name = ''] = option.split(' ');
    const differences = texts.filter((text) => text.includes('is declared differently'));
    expect(differences.find((text) => text.includes('queue guestagent.g1 '))).toMatch(
      new RegExp(`^${message}set ${name}.* here as Trove has it, or delete it at the broker`),
    );
    // Once for each thing, although two channels declare the exchange; and it serves nevertheless.
    expect(new Set(differences).size).toBe(differences.length);
    expect(await broker.queue(vhost, TOPIC)).toMatchObject({ consumers: 1 });
  });

  it.each([
    ['another queue type', { durable: true, arguments: {} }, /x-queue-type.*rabbit_quorum_queue/],
    [
      'another limit',
      { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 7 } },
      /x-delivery-limit is 7 there and 3 here; set rabbit_quorum_delivery_limit/,
    ],
  ])('names the option for %s', async (_what, declaration, message) => {
    const { user, password, port } = broker.description;
    const url = `amqp://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(vhost)}`;
    const client = await connect(url);
    const channel = await client.createChannel();
    await channel.assertQueue(TOPIC, declaration);
    await client.close();
    const options = 'rabbit_quorum_queue = true\nrabbit_quorum_delivery_limit = 3';
    const texts = await connected(`${user}:${password}@127.0.0.1:${port}`, options);
    expect(texts.filter((text) => message.test(text))).toHaveLength(1);
  });

  it('names control_exchange for an exchange of another type', async () => {
    const { user, password, port } = broker.description;
    const url = `amqp://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(vhost)}`;
    const client = await connect(url);
    const channel = await client.createChannel();
    await channel.assertExchange(EXCHANGE, 'direct', { durable: false });
    await client.close();
    const texts = await connected(`${user}:${password}@127.0.0.1:${port}`);
    expect(texts.join('\n')).toMatch(
      /exchange openstack .*type is direct there and topic here; set control_exchange/,
    );
  });
});
