import { codeOf } from '../base/errors.ts';

/** What an answer that is no HTTP begins with. */
const BEGINNINGS: readonly [is: (begin: Buffer) => boolean, what: string][] = [
  [(begin) => begin.toString('latin1').startsWith('SSH-'), 'speaks SSH'],
  [(begin) => begin.toString('latin1').startsWith('AMQP'), 'speaks AMQP'],
  [(begin) => begin.toString('latin1').startsWith('HTTP/'), 'speaks another version of HTTP'],
  [
    ([type = 0, version]) => type >= 0x14 && type <= 0x17 && version === 3, // a record
    'speaks TLS: its URL should begin with https:, or have another port',
  ],
  // Its first frame are its settings.
  [
    ([length0, length1, , type]) => length0 === 0 && length1 === 0 && type === 4,
    'speaks HTTP/2 only',
  ],
];

/** Codes of Node.js's parser for what is no HTTP/1 from its beginning on. */
const NO_HTTP = new Set(['HPE_INVALID_CONSTANT', 'HPE_INVALID_VERSION']);

/** What is wrong when the peer is no HTTP server, by what it began with; null for any other failure. */
export function wrongPeer(failure: unknown): string | null {
  if (!NO_HTTP.has(codeOf(failure) ?? '')) return null;
  const packet = (failure as { rawPacket?: unknown }).rawPacket;
  const begin = packet instanceof Uint8Array ? Buffer.from(packet.subarray(0, 8)) : Buffer.alloc(0);
  // Something behind a whole answer, say.
  if (begin.toString('latin1').startsWith('HTTP/1.')) return null;
  const [, known] = BEGINNINGS.find(([is]) => is(begin)) ?? [];
  const what = known ?? 'is no HTTP server';
  return `what answers there ${what}${what.includes('URL') ? '' : '; check the port in its URL'}`;
}
