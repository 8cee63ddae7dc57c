import { createHash } from 'node:crypto';
import { Refusal } from './refusals.ts';

/** A segment, as whoever made the object wrote it. */
export interface SloEntry {
  path: string;
  etag: string;
  size_bytes: number;
}

/** An object in a bucket. */
export interface RgwObject {
  /** Of a static large object nothing: RGW keeps the manifest beside the data. */
  data: Buffer;
  /** RGW_ATTR_ETAG: of a static large object the MD5 of the text of its manifest. */
  etag: string;
  /** What a list says: of a static large object the length of that text. */
  accounted: number;
  modified: Date;
  /** Guessed by the end of the name; of a segment there is none. */
  contentType: string | null;
  /** x-object-meta-…, in lower case. */
  metadata: Record<string, string>;
  slo: readonly SloEntry[] | null;
}

interface Bucket {
  owner: string;
  objects: Map<string, RgwObject>;
}

/** The buckets, which Swift calls containers. */
export class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #isShared: boolean;

  /** @param isShared all projects share one namespace: rgw_keystone_implicit_tenants is false, its default */
  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  /** Makes one; true when it is there already. */
  make(project: string, name: string): boolean {
    const bucket = this.#buckets.get(this.#key(project, name));
    // RGWCreateBucket::execute in src/rgw/rgw_op.cc: -EEXIST for one of somebody else.
    if (bucket && bucket.owner !== project) throw new Refusal('BucketAlreadyExists');
    if (bucket) return true;
    this.#buckets.set(this.#key(project, name), { owner: project, objects: new Map() });
    return false;
  }

  /** What is in one. */
  objects(project: string, name: string): Map<string, RgwObject> {
    const bucket = this.#buckets.get(this.#key(project, name));
    if (!bucket) throw new Refusal('NoSuchBucket');
    if (bucket.owner !== project) throw new Refusal('AccessDenied');
    return bucket.objects;
  }

  remove(project: string, name: string): void {
    if (this.objects(project, name).size > 0) throw new Refusal('BucketNotEmpty');
    this.#buckets.delete(this.#key(project, name));
  }

  #key(project: string, name: string): string {
    return this.#isShared ? name : `${project}/${name}`;
  }
}

/** A new object. */
export function objectOf(
  data: Buffer,
  name: string,
  metadata: Record<string, string>,
  slo: { entries: readonly SloEntry[]; text: Buffer } | null = null,
): RgwObject {
  const isGzip = name.endsWith('.gz');
  return {
    data: slo ? Buffer.alloc(0) : data,
    etag: md5(slo?.text ?? data),
    accounted: slo?.text.length ?? data.length,
    modified: new Date(),
    contentType: isGzip ? 'application/gzip' : null,
    metadata,
    slo: slo?.entries ?? null,
  };
}

export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}
