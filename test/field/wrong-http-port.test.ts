import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { messageOf } from '../../src/base/errors.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { fastClock } from '../base/fast-clock.ts';
import { listening } from '../http/http-server.ts';
import { rawPeer, saysAndEnds } from '../hostile/raw-peer.ts';

/** Each asks the peer at this URL once, and says why that failed. */
const ASKING: [string, (url: string) => Promise<unknown>][] = [
  ['K2HR3', (url) => fetchRoleAccess({ clock: fastClock }, `${url}/v1/extdata/x`)],
  [
    'Keystone',
    (url) =>
      rescope(`${url}/v3`, { token: 't', projectId: 'p' }, { ca: undefined, clock: fastClock }),
  ],
  [
    'Swift',
    async (url) => {
      const storageUrl = `${url}/v1/AUTH_x`;
      const client = new SwiftClient({ storageUrl, token: 't', clock: fastClock });
      await client.list('c', 'x').finally(() => client.close());
    },
  ],
];

const PEERS: [string, string, string][] = [
  ['sshd', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'what answers there speaks SSH; check the port'],
  ['a broker', 'AMQP\0\0\x09\x01', 'what answers there speaks AMQP; check the port'],
  ['TLS (an alert)', '\x15\x03\x01\0\x02\x02\x46', 'speaks TLS: its URL should begin with https:'],
  ['HTTP/2', '\0\0\x12\x04\0\0\0\0\0', 'what answers there speaks HTTP/2 only; check the port'],
  ['HTTP/3.0', 'HTTP/3.0 200 OK\r\n\r\n', 'what answers there speaks another version of HTTP'],
  ['an SMTP server', '220 mail.example ESMTP\r\n', 'what answers there is no HTTP server; check'],
  ['Redis', '-ERR unknown command\r\n', 'what answers there is no HTTP server; check the port'],
  ['MySQL', '\x4a\0\0\0\x0a8.0.30\0', 'what answers there is no HTTP server; check the port'],
];

/** What a port that speaks TLS answers to a call without it: nginx 1.22, Apache 2.4.71, Go, HAProxy 2.6. */
const BAD = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n';
const [IT_IS, MAYBE] = ['that port speaks TLS: its URL', 'if that port speaks TLS, its URL'];
const TLS_PORTS: [string, string, string][] = [
  [
    'nginx',
    `${BAD}Content-Type: text/html\r\n\r\n<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n`,
    IT_IS,
  ],
  [
    'nginx with its own status',
    'HTTP/1.1 497 \r\nConnection: close\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n',
    IT_IS,
  ],
  [
    'Apache',
    `${BAD}Content-Type: text/html; charset=iso-8859-1\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme`,
    IT_IS,
  ],
  [
    'Go',
    'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    IT_IS,
  ],
  [
    'Tomcat',
    'HTTP/1.1 400 \r\nContent-Type: text/plain;charset=UTF-8\r\nConnection: close\r\n\r\nBad Request\r\nThis combination of host and port requires TLS.\r\n',
    IT_IS,
  ],
  ['nginx, asked by HEAD', `${BAD}\r\n`, MAYBE],
  ['HAProxy, which ends the connection', '', MAYBE],
];

describe.each(ASKING)('%s at a port of', (_, ask) => {
  it.each(TLS_PORTS)('%s, that speaks TLS', async (_name, answer, why) => {
    const { url } = await rawPeer(saysAndEnds(answer));
    const said = await ask(url).then(() => 'an answer', messageOf);
    expect(said).toContain(`${why} should begin with https:`);
    expect(said).not.toContain('<');
  });

  it('a server that speaks TLS and ends what is no TLS', async () => {
    const url = await listening(tls.createServer());
    expect(await ask(url).then(() => 'an answer', messageOf)).toContain(MAYBE);
  });

  it.each([
    ['refuses for another reason', `${BAD}\r\nHeader X-Y is missing`],
    ['was cut off behind its first words', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ])('a server that %s is not mistaken for one that speaks TLS', async (_name, answer) => {
    const { url } = await rawPeer(saysAndEnds(answer));
    expect(await ask(url).then(() => 'an answer', messageOf)).not.toMatch(/TLS|https/);
  });

  it.each(PEERS)('%s', async (_name, begins, why) => {
    const { url } = await rawPeer(saysAndEnds(begins));
    expect(await ask(url).then(() => 'an answer', messageOf)).toContain(why);
  });

  it.each(PEERS.filter(([name]) => !name.startsWith('TLS')))(
    '%s, asked by TLS',
    async (_name, begins) => {
      const { url } = await rawPeer(saysAndEnds(begins));
      const asked = ask(url.replace('http:', 'https:'));
      expect(await asked.then(() => 'an answer', messageOf)).toContain(
        'it does not speak TLS on this port: its URL should begin with http:, or have another port',
      );
    },
  );

  it('every first byte before text is some kind of no', async () => {
    for (let first = 0; first < 256; first++) {
      if (first === 0x48) continue; // H: that is HTTP
      const { url } = await rawPeer(
        (socket) => void socket.end(Buffer.from([first, 84, 84, 80, 47])),
      );
      const why = await ask(url).then(() => 'an answer', messageOf);
      expect(why, `first byte ${first}`).toMatch(/what answers there|hang up|ended/);
    }
  });
});
