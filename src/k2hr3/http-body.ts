import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { TooLong, wholeBody } from '../http/whole-body.ts';
import { K2hr3Error } from './k2hr3-error.ts';

const unpack = promisify(gunzip);

/**
 * The whole body of an answer as text. K2HR3 sends extdata as gzip to whoever accepts it, and a
 * proxy may do so with anything (docs/contracts/k2hr3.md, 8.8).
 *
 * @throws K2hr3Error `invalid-answer` when it is longer than `maxBytes` or cannot be unpacked, and
 *   what the body throws when it is cut off.
 */
export async function readBody(
  { headers, body }: { headers: IncomingHttpHeaders; body: AsyncIterable<Buffer> },
  maxBytes: number,
  origin: string,
): Promise<string> {
  const raw = await wholeBody(body, maxBytes).catch((error: unknown) => {
    throw error instanceof TooLong ? tooLong(origin, maxBytes) : error;
  });
  const encoding = headers['content-encoding'] ?? 'identity';
  if (raw.length === 0 || encoding === 'identity') return raw.toString();
  if (encoding !== 'gzip') {
    throw new K2hr3Error('invalid-answer', `K2HR3 at ${origin} answered packed in an unknown way`);
  }
  try {
    return (await unpack(raw, { maxOutputLength: maxBytes })).toString();
  } catch (error) {
    if (error instanceof RangeError) throw tooLong(origin, maxBytes);
    throw new K2hr3Error('invalid-answer', `K2HR3 at ${origin} answered with broken gzip`, {
      cause: error,
    });
  }
}

function tooLong(origin: string, maxBytes: number): K2hr3Error {
  return new K2hr3Error(
    'invalid-answer',
    `K2HR3 at ${origin} answered with more than ${maxBytes} bytes`,
  );
}
