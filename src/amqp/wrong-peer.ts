/** What an answer begins with, bytes 3 to 6: where a frame of AMQP 0-9-1 has its length. */
const BEGINNINGS: readonly [is: (begin: string) => boolean, what: string][] = [
  [(begin) => /^P\/[0-9]/.test(begin), 'what answers there speaks HTTP'],
  [(begin) => /^-[12]\./.test(begin), 'what answers there speaks SSH'],
  [
    // Plain, TLS and SASL.
    (begin) => ['P\0\u0001\0', 'P\u0002\u0001\0', 'P\u0003\u0001\0'].includes(begin),
    'what answers there speaks AMQP 1.0 only',
  ],
  [(begin) => begin === 'P\0\0\t', 'what answers there speaks another version of AMQP'],
];

/**
 * Errors of amqplib 2.3 for an answer that is no frame of AMQP 0-9-1, or not the one that a broker begins
 * with (lib/frame.js, lib/connection.js). Which one it is depends on the first seven bytes: of text they are
 * a length that nothing has.
 */
const NO_FRAME =
  /^(?:Frame size \d+ exceeds|Invalid frame|Unknown frame type|Unknown class\/method|Frame on channel != 0|Expected ConnectionStart; got|.*outside buffer bounds|.*out of range)/;

/**
 * What is wrong when the peer is no AMQP 0-9-1 broker, told by what it began with.
 *
 * @param message of the error that ended the handshake; undefined for another error.
 */
export function wrongPeer(message: string): string | undefined {
  if (!NO_FRAME.test(message)) return undefined;
  const size = /^Frame size (\d+) exceeds/.exec(message)?.[1];
  const begin = Buffer.alloc(4);
  begin.writeUInt32BE(size === undefined ? 0 : Number(size));
  const text = begin.toString('latin1');
  const [, known] = BEGINNINGS.find(([is]) => is(text)) ?? [];
  const what = known ?? 'what answers there is no AMQP 0-9-1 broker';
  return `${what}; check the port in transport_url`;
}
