import { randomInt } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { AmqpSession } from '../../src/amqp/session.ts';
import type { Logger } from '../../src/base/log.ts';
import type { Dispatcher } from '../../src/oslo/rpc-server.ts';
import { CertificateAuthority, type Certificate } from '../helpers/certificates.ts';
import { makeOsloGuest } from '../helpers/oslo-guest.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';
import { OsloPeer } from '../peers/oslo/oslo-peer.ts';

const broker = new Broker(inject('broker'));
const TOPIC = `guestagent.tls-${randomInt(1e9)}`;
const ECHO: Dispatcher = { dispatch: ({ args }) => Promise.resolve(args) };

let directory: string;
let vhost: string;
let ca: CertificateAuthority;
let strangeCa: CertificateAuthority;
let client: Certificate;
let stranger: Certificate;
/** Listeners of the real broker, by what is special about them. */
let ports: { good: number; clients: number; otherHost: number; expired: number };
let guest: AmqpSession | undefined;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-tls-'));
  vhost = await broker.createVhost();
  ca = await CertificateAuthority.make(directory);
  strangeCa = await CertificateAuthority.make(directory, 'strange-ca');
  const server = await ca.issue('server', { name: 'IP:127.0.0.1,DNS:localhost' });
  const otherHost = await ca.issue('other-host', { name: 'DNS:broker.example' });
  const expired = await ca.issue('expired', { name: 'IP:127.0.0.1', days: -1 });
  client = await ca.issue('client', { name: 'DNS:guest' });
  stranger = await strangeCa.issue('stranger', { name: 'DNS:guest' });
  const [good, clients, other, old] = (await freePorts(4)) as [number, number, number, number];
  ports = { good, clients, otherHost: other, expired: old };
  const { caFile } = ca;
  await broker.startTlsListener(good, { caFile, ...server, clientCertificate: false });
  await broker.startTlsListener(clients, { caFile, ...server, clientCertificate: true });
  await broker.startTlsListener(other, { caFile, ...otherHost, clientCertificate: false });
  await broker.startTlsListener(old, { caFile, ...expired, clientCertificate: false });
});

afterEach(async () => {
  await guest?.stop();
});

afterAll(async () => {
  await broker.deleteVhost(vhost);
  await rm(directory, { recursive: true, force: true });
});

interface Where {
  port: number;
  host?: string;
  query?: string;
  /** Lines of [oslo_messaging_rabbit]. */
  options?: string[];
}

function configFor({ port, host = '127.0.0.1', query = '', options = [] }: Where): string {
  const { user, password } = broker.description;
  const url = `rabbit://${user}:${password}@${host}:${port}/${encodeURIComponent(vhost)}${query}`;
  return `[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_rabbit]\n${options.join('\n')}\n`;
}

function start(where: Where, log: Logger): void {
  const config = configFor(where);
  guest = makeOsloGuest({ topic: TOPIC, server: 's', config, dispatcher: ECHO, log });
  guest.start();
}

/** Resolves with what a guest says until it consumes. */
async function connects(where: Where): Promise<string[]> {
  const { log, texts } = recordingLog();
  start(where, log);
  await until('the guest consumes', () => guest?.connected);
  return texts;
}

/** The reason, as it is logged, why a guest does not get in; one that matches. */
async function refusal(where: Where, message: RegExp): Promise<string> {
  const reasons: string[] = [];
  const write = (line: string): void => {
    const { err } = JSON.parse(line) as { err?: { message: string } };
    if (err) reasons.push(err.message);
  };
  start(where, pino({ level: 'debug' }, { write }));
  return until(`${String(message)} in ${reasons.join('\n')}`, () =>
    reasons.find((reason) => message.test(reason)),
  );
}

const caOption = (): string => `ssl_ca_file = ${ca.caFile}`;

describe('TLS to the broker', () => {
  it('works with a CA and host name verification', async () => {
    const options = ['ssl = true', caOption(), 'ssl_enforce_hostname_verification = true'];
    await connects({ port: ports.good, options });
    await guest?.stop();
    await connects({ port: ports.good, host: 'localhost', options });
  });

  it('is switched on by ?ssl=1 in transport_url, or by rabbit_use_ssl', async () => {
    await connects({ port: ports.good, query: '?ssl=1', options: [caOption()] });
    await guest?.stop();
    await connects({ port: ports.good, options: ['rabbit_use_ssl = on', caOption()] });
  });

  it('verifies nothing without ssl_ca_file, and says so', async () => {
    const options = ['ssl = true', 'ssl_enforce_hostname_verification = true'];
    const texts = await connects({ port: ports.expired, options });
    expect(texts.filter((text) => text.includes('set ssl_ca_file'))).toHaveLength(1);
  });

  it('takes a certificate for another host unless that is to be verified', async () => {
    await connects({ port: ports.otherHost, options: ['ssl = true', caOption()] });
  });

  it('shows a client certificate to a broker that wants one', async () => {
    const files = [`ssl_cert_file = ${client.certFile}`, `ssl_key_file = ${client.keyFile}`];
    await connects({ port: ports.clients, options: ['ssl = true', caOption(), ...files] });
  });

  it('can be held to TLS 1.2', async () => {
    await connects({
      port: ports.good,
      options: ['ssl = true', caOption(), 'ssl_version = TLSv1_2'],
    });
  });

  it('is understood by the real oslo.messaging in the same words', async () => {
    const options = [
      'ssl = true',
      caOption(),
      'ssl_enforce_hostname_verification = true',
      `ssl_cert_file = ${client.certFile}`,
      `ssl_key_file = ${client.keyFile}`,
    ];
    const where = { port: ports.clients, host: 'localhost', options };
    await connects(where);
    const peer = await OsloPeer.start(directory, configFor(where));
    try {
      await expect(peer.call(TOPIC, 'echo', { args: { a: 'ä' } })).resolves.toEqual({ a: 'ä' });
    } finally {
      await peer.stop();
    }
  });

  it('reads its files anew for each attempt', async () => {
    const file = path.join(directory, 'renewed.pem');
    await copyFile(strangeCa.caFile, file);
    const where = { port: ports.good, options: ['ssl = true', `ssl_ca_file = ${file}`] };
    await refusal(where, /comes from a CA that is not in ssl_ca_file/);
    await copyFile(ca.caFile, file);
    await until('the guest consumes', () => guest?.connected);
  });

  it.each([
    [
      'a CA that it does not know',
      () => ({ port: ports.good, options: ['ssl = true', `ssl_ca_file = ${strangeCa.caFile}`] }),
      /comes from a CA that is not in ssl_ca_file .*strange-ca.pem/,
    ],
    [
      'a certificate that has expired',
      () => ({ port: ports.expired, options: ['ssl = true', caOption()] }),
      /has expired; renew it/,
    ],
    [
      'a certificate for another host',
      () => ({
        port: ports.otherHost,
        options: ['ssl = true', caOption(), 'ssl_enforce_hostname_verification = true'],
      }),
      /is for another host; write a name that it holds into transport_url/,
    ],
    [
      'a broker that wants a client certificate',
      () => ({ port: ports.clients, options: ['ssl = true', caOption()] }),
      /asks for a client certificate; set ssl_cert_file and ssl_key_file/,
    ],
    [
      'a broker that does not take its client certificate',
      () => ({
        port: ports.clients,
        options: [
          'ssl = true',
          caOption(),
          `ssl_cert_file = ${stranger.certFile}`,
          `ssl_key_file = ${stranger.keyFile}`,
        ],
      }),
      /does not accept the client certificate of ssl_cert_file .*stranger.pem/,
    ],
    [
      'a broker without TLS',
      () => ({ port: broker.description.port, options: ['ssl = true', caOption()] }),
      /does not speak TLS on this port/,
    ],
    [
      'a broker with TLS, when ssl is off',
      () => ({ port: ports.good }),
      /if it wants TLS on this port set ssl = true/,
    ],
  ])('says what to do about %s', async (_what, where, message) => {
    const reason = await refusal(where(), message);
    expect(reason).toMatch(/^cannot open an AMQP connection to 127\.0\.0\.1:\d+ \(vhost /);
    expect(reason).not.toContain('\n');
    expect(reason).not.toContain(broker.description.password);
  });
});
