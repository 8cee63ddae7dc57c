import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { AgentError } from '../../src/base/errors.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { isMember, register, unregister } from '../../src/k2hr3/registration-calls.ts';
import { readResource } from '../../src/k2hr3/resource.ts';
import { fastClock } from '../base/fast-clock.ts';
import { until } from '../helpers/until.ts';
import { drips, pours, rawPeer, says, saysAndEnds, type Behaviour } from './raw-peer.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const SIZED = `${OK}Content-Length: 100000\r\n\r\n`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const MIB = Buffer.alloc(1024 * 1024, 'x');
const MIB_CHUNK = Buffer.concat([Buffer.from('100000\r\n'), MIB, Buffer.from('\r\n')]);

/** None of these is an answer to anything. */
const PEERS: [string, Behaviour][] = [
  ['says nothing', says()],
  ['closes without a word', (socket) => void socket.end()],
  ['resets the connection', (socket) => void socket.resetAndDestroy()],
  ['goes over to another protocol', says('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  [
    'goes over to a named protocol and speaks it',
    says('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 'frames'),
  ],
  ['goes over to another protocol and leaves', saysAndEnds('HTTP/1.1 101 X\r\n\r\n')],
  ['asks to go on for ever', drips('', 'HTTP/1.1 100 Continue\r\n\r\n')],
  ['asks to go on and says nothing more', says('HTTP/1.1 100 Continue\r\n\r\n')],
  ['is processing for ever', drips('', 'HTTP/1.1 102 Processing\r\n\r\n')],
  ['gives early hints for ever', drips('', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')],
  ['pours early hints', pours('', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(1000))],
  ['begins a status line', says('HTTP/1.1 2')],
  ['says its status by the letter', drips('H', 'T')],
  ['has headers without end', drips(OK, 'X-More: 1\r\n')],
  ['pours headers', pours(OK, 'X-More: 1\r\n'.repeat(1000))],
  ['has a header without end', pours(`${OK}X-More: `, MIB)],
  ['ends within its headers', saysAndEnds(`${OK}Content-Le`)],
  ['speaks SSH', says('SSH-2.0-OpenSSH_9.2\r\n')],
  ['speaks TLS', says(Buffer.from('1503030002022800', 'hex'))],
  ['speaks HTTP/0.9', saysAndEnds('<html>hello</html>')],
  ['speaks HTTP/2', says(Buffer.from('000000040000000000', 'hex'))],
  ['has a negative length', says(`${OK}Content-Length: -1\r\n\r\n`)],
  ['has a broken length', says(`${OK}Content-Length: 1.5\r\n\r\nx`)],
  ['has a length beyond all numbers', says(`${OK}Content-Length: ${'9'.repeat(40)}\r\n\r\nx`)],
  ['has two lengths', says(`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`)],
];

/** Each begins an answer that has no end, or no right one; a HEAD does not look at it. */
const BODIES: [string, Behaviour][] = [
  ['has a body that stays away', says(SIZED)],
  ['has a body that stops', says(`${SIZED}half`)],
  ['ends within its body', saysAndEnds(`${SIZED}half`)],
  ['has a body by the byte', drips(SIZED, 'x')],
  ['has a body by the byte of a chunk', drips(CHUNKED, '1\r\nx\r\n')],
  ['stops within a chunk', says(`${CHUNKED}ff\r\nhalf`)],
  ['stops within the size of a chunk', says(`${CHUNKED}f`)],
  ['stops before the end of the chunks', says(`${CHUNKED}1\r\nx\r\n`)],
  ['ends before the end of the chunks', saysAndEnds(`${CHUNKED}1\r\nx\r\n`)],
  ['has a chunk beyond all numbers', says(`${CHUNKED}${'f'.repeat(20)}\r\nx`)],
  ['has a chunk whose size is no number', says(`${CHUNKED}zz\r\nx`)],
  ['has trailers without end', drips(`${CHUNKED}1\r\nx\r\n0\r\n`, 'X-More: 1\r\n')],
  ['has a body without end', pours(CHUNKED, MIB_CHUNK)],
  ['has a body without length and end', pours(`${OK}\r\n`, MIB)],
  ['has a body without length that stops', says(`${OK}\r\nhalf`)],
];

const ACCESS = (apiUri: string) => ({
  apiUri,
  roleName: 'yrn:yahoo:::demo:role:c/server',
  tenant: 'yrn:yahoo:::demo',
  roleToken: 'a'.repeat(64),
});

type Call = (url: string) => Promise<unknown>;

/** A call of Swift; its connections are closed after it. */
function swift(call: (client: SwiftClient) => Promise<unknown>): Call {
  return async (url) => {
    const storageUrl = `${url}/v1/AUTH_x`;
    const client = new SwiftClient({ storageUrl, token: 't', clock: fastClock });
    await call(client).finally(() => client.close());
  };
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < 20; n++) yield await Promise.resolve(Buffer.alloc(100_000));
}

async function read(body: AsyncIterable<Buffer>): Promise<void> {
  // An object may have any length: this reader has enough after 20 MiB.
  let bytes = 0;
  for await (const { length } of body)
    if ((bytes += length) > 20 * 2 ** 20) throw new AgentError('');
}

const http = { clock: fastClock };
const CALLS: [string, Call][] = [
  ['K2HR3 reads the extdata', (url) => fetchRoleAccess(http, `${url}/v1/extdata/x`)],
  ['K2HR3 reads the role', (url) => readResource(http, ACCESS(url))],
  ['K2HR3 registers', (url) => register(http, ACCESS(url), { cuk: 'c', tag: 'h' })],
  ['K2HR3 unregisters', (url) => unregister(http, ACCESS(url), 'c')],
  [
    'Keystone exchanges a token',
    (url) =>
      rescope(`${url}/v3`, { token: 't', projectId: 'p' }, { ca: undefined, clock: fastClock }),
  ],
  ['Swift lists', swift((client) => client.list('c', 'x'))],
  ['Swift gives segments', swift((client) => client.segments('c', 'o'))],
  ['Swift gives an object', swift(async (client) => read((await client.get('c', 'o')).body))],
  ['Swift takes a container', swift((client) => client.createContainer('c'))],
  ['Swift takes an object of bytes', swift((client) => client.put('c', 'o', MIB))],
  ['Swift takes an object of pieces', swift((client) => client.put('c', 'o', pieces()))],
  ['Swift removes an object', swift((client) => client.delete('c', 'o'))],
];
const HEADS: [string, Call][] = [
  ['K2HR3 knows a member', (url) => isMember(http, ACCESS(url), 'c')],
  ['Swift knows an object', swift((client) => client.head('c', 'o'))],
];

/** What is wrong with how a call ends at such a peer; null when it fails in one line for a person. */
async function wrongEnd(behave: Behaviour, call: Call): Promise<string | null> {
  const peer = await rawPeer(behave);
  const end = await call(peer.url).then(
    () => 'an answer',
    (error: unknown) => error,
  );
  if (!(end instanceof AgentError)) return String(end);
  if (!/^[^\n]{0,400}$/.test(end.message)) return end.message;
  await until(
    'the peer was asked, and nothing goes on',
    () => peer.made() > 0 && peer.open() === 0,
  );
  return null;
}

/** Every call at once, by its name. */
async function wrongEnds(behave: Behaviour, calls: [string, Call][]): Promise<unknown> {
  const ends = calls.map(async ([name, call]) => [name, await wrongEnd(behave, call)] as const);
  return Object.fromEntries((await Promise.all(ends)).filter(([, end]) => end !== null));
}

describe('everybody gives up a peer that', () => {
  it.each(PEERS)('%s', async (_what, behave) => {
    expect(await wrongEnds(behave, [...CALLS, ...HEADS])).toEqual({});
  });

  it.each(BODIES)('%s', async (_what, behave) => {
    expect(await wrongEnds(behave, CALLS)).toEqual({});
  });
});

describe('K2HR3 gives up a peer that packs', () => {
  const packed = (body: Buffer): Behaviour =>
    says(`${OK}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`, body);
  const READ: Call = (url) => readResource(http, ACCESS(url));

  it.each([
    ['a bomb', gzipSync(Buffer.alloc(100 * 1024 * 1024))],
    ['nothing but a head', gzipSync('x').subarray(0, 5)],
    ['what is none', Buffer.from('x'.repeat(100))],
  ])('%s', async (_what, body) => {
    expect(await wrongEnd(packed(body), READ)).toBeNull();
  });
});

it('whatever follows an answer, the call settles, and the next one has its own', async () => {
  const answer = (text: string): string => {
    const body = `{"result":true,"resource":"${text}"}`;
    return `${OK}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
  const peer = await rawPeer(says(answer('first'), answer('second'), 'and more'));
  for (let times = 0; times < 3; times++) {
    const end = await readResource(http, ACCESS(peer.url)).catch((error: unknown) => error);
    if (!(end instanceof AgentError)) expect(end).toMatchObject({ text: 'first' });
  }
  await until('nothing goes on', () => peer.open() === 0);
});
