import { AgentError } from '../../base/errors.ts';
import { LEAST_BYTES } from '../../http/answer-body.ts';
import type { ObjectLocation } from '../swift/location.ts';
import { Patience, patiently, type PatienceParts } from '../swift/patience.ts';
import type { SwiftClient } from '../swift/swift-client.ts';
import type { ObjectFacts } from '../swift/swift-object.ts';
import { expectedSegments } from './expected-segments.ts';
import { verified } from './verified.ts';

/** The one that holds a backup, and its checksum by Trove's database. */
export interface WantedObject {
  location: ObjectLocation;
  checksum: string;
}

/**
 * The bytes of a backup as Swift has them. A lost connection is taken up where it ended, as long as
 * the object is the same; every byte is hashed, because Swift's own ETag says nothing about what
 * has arrived (docs/contracts/swift.md, 3.3 and 8).
 *
 * @throws AgentError when the object is another one, or its bytes are; SwiftError.
 */
export async function* downloadBackup(
  client: SwiftClient,
  { location, checksum }: WantedObject,
  parts: PatienceParts,
): AsyncGenerator<Buffer, void> {
  const { container, object } = location;
  const name = `${container}/${object}`;
  const facts = await patiently(parts, () => client.head(container, object));
  checkIdentity(name, facts, checksum);
  const { bytes } = facts;
  const expected = facts.isSlo
    ? await expectedSegments(client, location, { checksum, bytes }, parts)
    : [{ name, bytes, md5: checksum }];
  yield* verified(resumed(client, location, facts, parts), expected);
}

function checkIdentity(
  name: string,
  { headers, etag, bytes }: ObjectFacts,
  checksum: string,
): void {
  if (!Number.isSafeInteger(bytes)) throw wrong(`${name} has no size by Swift that can be true`);
  if (headers['x-object-manifest'] !== undefined) {
    throw wrong(`${name} is a dynamic large object, which no backup is`);
  }
  if (etag.toLowerCase() !== checksum) {
    throw wrong(`${name} has the checksum ${etag} in Swift, and ${checksum} by Trove`);
  }
}

async function* resumed(
  client: SwiftClient,
  { container, object }: ObjectLocation,
  { bytes, etag }: ObjectFacts,
  parts: PatienceParts,
): AsyncGenerator<Buffer, void> {
  const patience = new Patience(parts);
  let renewedAt = 0;
  for (let from = 0; from < bytes;) {
    try {
      const { status, etag: now, body } = await client.get(container, object, from);
      // Not by If-Match: Ceph RGW compares that with the MD5 of the manifest.
      if (now !== etag) throw wrong(`${container}/${object} was replaced while it was read`);
      if (from > 0 && status !== 206) {
        throw new AgentError('Swift does not go on where the connection was lost');
      }
      for await (const piece of body) {
        from += piece.length;
        // A byte a try is no progress.
        if (from - renewedAt >= LEAST_BYTES) {
          renewedAt = from;
          patience.renew();
        }
        yield piece;
      }
      if (from < bytes) throw cutOff(container, object, from, bytes);
    } catch (error) {
      await patience.bear(error);
    }
  }
}

function cutOff(container: string, object: string, from: number, bytes: number): AgentError {
  const what = `${container}/${object} ended after ${from} of ${bytes} bytes`;
  return new AgentError(what, { retryable: true });
}

function wrong(what: string): AgentError {
  return new AgentError(what);
}
