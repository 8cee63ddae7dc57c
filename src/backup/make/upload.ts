import { createHash } from 'node:crypto';
import { AgentError } from '../../base/errors.ts';
import type { Packing } from './members.ts';
import { backupObject, segmentObject } from '../swift/object-names.ts';
import { patiently, type PatienceParts } from '../swift/patience.ts';
import { SegmentBody } from './segment-body.ts';
import { planSegments } from './segment-plan.ts';
import type { SwiftClient } from '../swift/swift-client.ts';
import type { SwiftLimits } from '../swift/swift-limits.ts';

/** One backup on its way to Swift, whose container is there. */
export interface UploadOptions {
  client: SwiftClient;
  container: string;
  backupId: string;
  /** Headers of the final object. */
  metadata: Record<string, string>;
  packing: Packing;
  /** Wanted size of segments. */
  segmentBytes: number;
  limits: SwiftLimits;
  patience: PatienceParts;
}

/** A backup that is in Swift, whole. */
export interface StoredBackup {
  object: string;
  /** As Trove keeps it: the MD5 of the object, or of the hex MD5s of its segments. */
  checksum: string;
  bytes: number;
  segments: number;
}

/**
 * Sends a backup: as a plain object when it fits one segment, because Trove's restore from another
 * region knows only these; else as segments with a manifest (docs/contracts/swift.md, 3.2 and 3.5).
 * Every ETag is compared with what was sent. What a failure leaves in Swift is the caller's to
 * remove.
 *
 * @throws SwiftError or AgentError, when another try cannot help or enough have been made.
 */
export async function uploadBackup(options: UploadOptions): Promise<StoredBackup> {
  const { client, container, backupId, packing, patience, segmentBytes: wanted } = options;
  const { image, memberBytes } = packing;
  const plan = planSegments(image.bytes, memberBytes, wanted, options.limits);
  const object = backupObject(backupId);
  const parts = plan.isOne
    ? [await send(options, object, 0, plan.segmentBytes, options.metadata)]
    : await sendSegments(options, plan.segmentBytes);
  const [first] = parts;
  if (parts.length > 1) await join(options, object, parts);
  else if (first && !plan.isOne) await moveOnly(options, object, first);

  const bytes = parts.reduce((sum, part) => sum + part.size_bytes, 0);
  const checksum = checksumOf(parts);
  const stored = await patiently(patience, () => client.head(container, object));
  if (stored.etag !== checksum || stored.bytes !== bytes) {
    throw new AgentError(
      `${container}/${object} in Swift has ${stored.bytes} bytes and the checksum ${stored.etag}, sent were ${bytes} bytes with ${checksum}`,
    );
  }
  return { object, checksum, bytes, segments: parts.length };
}

/** A part that is in Swift as it was sent. */
interface Sent {
  /** `container/name`. */
  path: string;
  etag: string;
  size_bytes: number;
  /** Where in the tar the next one begins. */
  next: number;
}

/** Sends a part of the tar as an object, with the same bytes at every try. */
function send(
  { client, container, packing, patience }: UploadOptions,
  name: string,
  from: number,
  limit: number,
  headers: Record<string, string> = {},
): Promise<Sent> {
  return patiently(patience, async () => {
    const body = new SegmentBody(packing, from, limit);
    const etag = await client.put(container, name, body, headers);
    const path = `${container}/${name}`;
    const md5 = body.md5();
    if (etag !== md5) {
      const what = `Swift has stored ${path} with the ETag ${etag}, sent was ${md5}`;
      throw new AgentError(what, { retryable: true });
    }
    return { path, etag, size_bytes: body.bytes, next: body.next };
  });
}

async function sendSegments(options: UploadOptions, limit: number): Promise<Sent[]> {
  const { backupId, packing } = options;
  const sent: Sent[] = [];
  for (let from = 0; from < packing.image.bytes; from = sent.at(-1)?.next ?? 0) {
    sent.push(await send(options, segmentObject(backupId, sent.length), from, limit));
  }
  return sent;
}

async function join(
  { client, container, metadata, patience }: UploadOptions,
  object: string,
  parts: readonly Sent[],
): Promise<void> {
  // Without the slash a Ceph RGW before 2023 leaves the segments when Trove deletes the backup
  // (docs/contracts/swift.md, 11.5).
  const manifest = parts.map(({ path, etag, size_bytes }) => ({
    path: `/${path}`,
    etag,
    size_bytes,
  }));
  await patiently(patience, () => client.putManifest(container, object, manifest, metadata));
}

/** More was expected than came out: the only segment becomes the object, by a copy inside Swift. */
async function moveOnly(
  { client, container, backupId, metadata, patience }: UploadOptions,
  object: string,
  { path }: Sent,
): Promise<void> {
  await patiently(patience, () => client.copy(path, container, object, metadata));
  await patiently(patience, () => client.delete(container, segmentObject(backupId, 0)));
}

function checksumOf(parts: readonly Sent[]): string {
  const [first] = parts;
  if (first && parts.length === 1) return first.etag;
  return createHash('md5')
    .update(parts.map(({ etag }) => etag).join(''))
    .digest('hex');
}
