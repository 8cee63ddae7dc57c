// transport_url names a port at which something else answers: HTTP, sshd, AMQP 1.0, TLS where plain AMQP is
// spoken and the other way round. The line says so, and what to check; it quotes no length of a frame.
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/amqp/connection.ts';
import type { TlsOptions } from '../../src/amqp/tls.ts';
import { AgentError, messageOf } from '../../src/base/errors.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../helpers/recording-log.ts';

const WHAT = /^cannot open an AMQP connection to 127\.0\.0\.1:\d+ \(vhost \/, user trove\): /;
const NOT_AMQP = 'what answers there is no AMQP 0-9-1 broker; check the port in transport_url';
const NO_TLS =
  'it does not speak TLS on this port; use its TLS port in transport_url, or switch ssl off';
const ENDED =
  'it ended the connection before the login; if it wants TLS on this port set ssl = true';
const TLS: TlsOptions = { verifyHost: false };

/** Sends this to whoever says something, and ends. */
let answer: Buffer;
let server: net.Server;

beforeEach(async () => {
  server = net.createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.close();
});

/** Why no connection is opened to a peer that begins with this. */
async function reason(begins: Buffer | string, tls?: TlsOptions): Promise<string> {
  answer = Buffer.from(begins as string, 'latin1');
  const { port } = server.address() as net.AddressInfo;
  const address = { host: '127.0.0.1', port, user: 'trove', password: 'hidden', vhost: '/' };
  const { signal } = new AbortController();
  const options = { heartbeatSeconds: 0, tls, signal, clock: systemClock, log: silentLog };
  const error: unknown = await Connection.open(address, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AgentError);
  expect(error).toMatchObject({ retryable: true });
  const text = messageOf(error);
  expect(text).toMatch(WHAT);
  expect(text).not.toContain('hidden');
  return text.replace(WHAT, '').replace(/ \([A-Z0-9_]+\)$/, '');
}

/** How an answer can go on after its first byte. */
const FOLLOWS: readonly [string, Buffer][] = [
  ['text', Buffer.from('TTP/1.1 400 Bad Request\r\n\r\n')],
  ['0xff', Buffer.alloc(20, 0xff)],
  ['zeros', Buffer.alloc(20)],
  ['a frame of four bytes', Buffer.from([0, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0xce])],
];

describe('over plain TCP', () => {
  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'what answers there speaks HTTP'],
    ['sshd', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'what answers there speaks SSH'],
    ['AMQP 1.0', 'AMQP\0\x01\0\0', 'what answers there speaks AMQP 1.0 only'],
    ['AMQP 1.0 with SASL', 'AMQP\x03\x01\0\0', 'what answers there speaks AMQP 1.0 only'],
    ['AMQP 0-9', 'AMQP\0\0\x09\x00', 'what answers there speaks another version of AMQP'],
  ])('%s is named', async (_, begins, what) => {
    expect(await reason(begins)).toBe(`${what}; check the port in transport_url`);
  });

  it.each([
    ['an SMTP server', '220 mail.example ESMTP\r\n'],
    ['an IMAP server', '* OK ready\r\n'],
    ['Redis', '-ERR unknown command\r\n'],
    ['STOMP', 'ERROR\nversion:1.2\n\n\0'],
    ['Galera', '\0\0\0\0\0\0\0\0\0\0\0\0'],
  ])('%s is no broker', async (_, begins) => {
    expect(await reason(begins)).toBe(NOT_AMQP);
  });

  it.each([
    ['TLS (an alert)', '\x15\x03\x01\0\x02\x02\x46'],
    ['MySQL', '\x4a\0\0\0\x0a8.0.30\0'],
    ['nothing', ''],
  ])('%s that ends the connection may want TLS', async (_, begins) => {
    expect(await reason(begins)).toBe(ENDED);
  });

  it.each(FOLLOWS)('every first byte before %s', async (_, follows) => {
    for (let first = 0; first < 256; first++) {
      const said = await reason(Buffer.concat([Buffer.from([first]), follows]));
      const isHttp = follows.includes('TTP/');
      const what = isHttp ? NOT_AMQP.replace(/is no .*broker/, 'speaks HTTP') : NOT_AMQP;
      expect(said, `first byte ${first}`).toBe(what);
    }
  });
});

describe('over TLS', () => {
  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['sshd', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
    ['a broker without TLS', 'AMQP\0\0\x09\x01'],
  ])('%s speaks none', async (_, begins) => {
    expect(await reason(begins, TLS)).toBe(NO_TLS);
  });

  it('a record that no handshake has here', async () => {
    expect(await reason('\x16\x03\x03\0\x04\x0e\0\0\0', TLS)).toBe(
      'the TLS handshake failed; check that the port in transport_url is the TLS port of the broker',
    );
  });

  it('every first byte before text', async () => {
    for (let first = 0; first < 256; first++) {
      const begins = Buffer.concat([Buffer.from([first]), Buffer.from('TTP/1.1 400')]);
      expect(await reason(begins, TLS), `first byte ${first}`).toBe(NO_TLS);
    }
  });
});
