import { describe, expect, it } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { messageOf } from '../../src/base/errors.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { fastClock } from '../base/fast-clock.ts';
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

describe.each(ASKING)('%s at a port of', (_, ask) => {
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
