import { createHash } from 'node:crypto';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { ObjectLocation } from '../swift/location.ts';
import { segmentIndex, segmentStem } from '../swift/object-names.ts';
import { patiently, type PatienceParts } from '../swift/patience.ts';
import type { ListedObject } from '../swift/segment-lists.ts';
import type { SwiftClient } from '../swift/swift-client.ts';
import { SwiftError } from '../swift/swift-error.ts';
import type { ExpectedPart } from './verified.ts';

/** What is known about the whole of a static large object. */
interface Whole {
  /** The MD5 of its segments' MD5s in hex, as Trove knows it. */
  checksum: string;
  bytes: number;
}

/**
 * The segments of a static large object, in its order: by its manifest, or, when that does not tell them,
 * as on Ceph RGW (docs/contracts/swift.md, 11.2), by the container's list. Either is believed when its sum
 * is the checksum.
 *
 * @throws AgentError with what each of them lacks; SwiftError when Swift is out of reach or refuses the
 *   token.
 */
export async function expectedSegments(
  client: SwiftClient,
  { container, object }: ObjectLocation,
  whole: Whole,
  parts: PatienceParts,
): Promise<ExpectedPart[]> {
  const stem = segmentStem(object);
  const sources: Record<string, () => Promise<ListedObject[]>> = {
    'its manifest': () => client.segments(container, object),
    "the container's list": async () => {
      const listed = await client.list(container, `${stem}_`);
      return listed.filter(({ name }) => segmentIndex(stem, name) !== null);
    },
  };
  const lacks: string[] = [];
  for (const [source, ask] of Object.entries(sources)) {
    try {
      const segments = await patiently(parts, ask);
      const proven = provenOf(segments, whole);
      if (proven !== null) return proven.map(({ hash, ...one }) => ({ ...one, md5: hash }));
      lacks.push(
        segments.length === 0
          ? `${source} has none`
          : `the ${segments.length} of ${source} have another sum`,
      );
    } catch (error) {
      if (!isOfSource(error)) throw error;
      lacks.push(messageOf(error));
    }
  }
  throw new AgentError(
    `the segments of ${container}/${object} are not those of the backup: ${lacks.join('; ')}`,
  );
}

/**
 * As many segments as make the whole, when their sum is the checksum; null when it is not. Behind them can
 * be others of the same name, which a longer try has left.
 */
function provenOf(
  segments: readonly ListedObject[],
  { checksum, bytes }: Whole,
): readonly ListedObject[] | null {
  const sum = createHash('md5');
  let length = 0;
  for (const [index, segment] of segments.entries()) {
    sum.update(segment.hash);
    length += segment.bytes;
    if (length > bytes) return null;
    if (length === bytes && sum.copy().digest('hex') === checksum) {
      return segments.slice(0, index + 1);
    }
  }
  return null;
}

/** Whether another source can still tell; no source can without an answer, or with this token. */
function isOfSource(error: unknown): boolean {
  if (!(error instanceof SwiftError) || error.status === 401) return false;
  return error.status !== null || !error.retryable;
}
