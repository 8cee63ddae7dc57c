import { createHash } from 'node:crypto';
import { AgentError } from '../../base/errors.ts';

/** A part of an object with an MD5 of its own: the whole of a plain one, or a segment. */
export interface ExpectedPart {
  name: string;
  bytes: number;
  /** In hex. */
  md5: string;
}

/**
 * Passes a body on while it is hashed.
 *
 * @throws AgentError at the end of the first part whose bytes are not those expected, and when
 *   the body is longer or shorter.
 */
export async function* verified(
  body: AsyncIterable<Buffer>,
  expected: readonly ExpectedPart[],
): AsyncGenerator<Buffer, void> {
  const parts = expected.filter(({ bytes }) => bytes > 0);
  let part = parts.shift();
  let hash = createHash('md5');
  let hashed = 0;
  for await (const piece of body) {
    for (let at = 0; at < piece.length;) {
      if (!part) throw wrong('the body is longer than the object');
      const some = piece.subarray(at, at + part.bytes - hashed);
      hash.update(some);
      hashed += some.length;
      at += some.length;
      if (hashed < part.bytes) continue;
      compare(part, hash.digest('hex'));
      part = parts.shift();
      hash = createHash('md5');
      hashed = 0;
    }
    yield piece;
  }
  if (part) throw wrong(`the body ends before the end of ${part.name}`);
}

function compare({ name, md5 }: ExpectedPart, found: string): void {
  if (found === md5) return;
  throw wrong(`the bytes of ${name} have the MD5 ${found}, not ${md5}: they are damaged`);
}

function wrong(what: string): AgentError {
  return new AgentError(what);
}
