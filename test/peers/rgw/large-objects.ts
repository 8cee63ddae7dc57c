import { md5, type Buckets, type RgwObject, type SloEntry } from './buckets.ts';
import { Refusal } from './refusals.ts';

/** Which segments a static large object names, in this project. */
export class LargeObjects {
  readonly #buckets: Buckets;
  readonly #isOld: boolean;

  /** @param isOld deletes as before 2023 */
  constructor(buckets: Buckets, isOld: boolean) {
    this.#buckets = buckets;
    this.#isOld = isOld;
  }

  /**
   * Reads a manifest that is put. Each segment must be there with the size that is written; **no ETag is
   * looked at** (RGWPutObj_ObjStore_SWIFT::get_params and update_slo_segment_size in
   * src/rgw/rgw_rest_swift.cc).
   */
  parse(project: string, text: Buffer, most: number): SloEntry[] {
    const entries = readEntries(text);
    if (entries.length > most) throw new Refusal('InvalidArgument');
    for (const entry of entries) {
      const { accounted } = this.#segment(project, entry);
      if (entry.size_bytes !== accounted) throw new Refusal('InvalidArgument');
    }
    return entries;
  }

  /**
   * A segment on its way to a reader: one of another size ends the answer, one of other bytes does not
   * (RGWGetObj::read_user_manifest_part in src/rgw/rgw_op.cc: if_match only for !swift_slo).
   */
  read(project: string, entry: SloEntry): Buffer {
    const { data } = this.#segment(project, entry);
    if (data.length !== entry.size_bytes) throw new Refusal('UnknownError'); // EIO
    return data;
  }

  /**
   * Deletes the segments; how many were there, and how many not. Before 2023 RGW skips the first character
   * of each path, whatever it is, so that the segments of `container/name` stay
   * (https://github.com/ceph/ceph/pull/50537).
   */
  deleteSegments(project: string, entries: readonly SloEntry[]): { gone: number; missing: number } {
    const done = { gone: 0, missing: 0 };
    for (const { path } of entries) {
      const place = this.#isOld ? placeOf(`/${path.slice(1)}`) : placeOf(path);
      let isThere = false;
      try {
        isThere = this.#buckets.objects(project, place.bucket).delete(place.name);
      } catch {
        // No such bucket.
      }
      if (isThere) done.gone += 1;
      else done.missing += 1;
    }
    return done;
  }

  #segment(project: string, { path }: SloEntry): RgwObject {
    const { bucket, name } = placeOf(path);
    const found = this.#buckets.objects(project, bucket).get(name);
    if (!found) throw new Refusal('NoSuchKey');
    return found;
  }
}

/** The ETag that a GET, a HEAD and the PUT show: of the segments' ETags as they were written. */
export function etagOf(entries: readonly SloEntry[]): string {
  return md5(entries.map(({ etag }) => etag).join(''));
}

function placeOf(path: string): { bucket: string; name: string } {
  const [, bucket, name] = /^\/*([^/]+)\/(.+)$/.exec(path) ?? [];
  if (bucket === undefined || name === undefined) throw new Refusal('InvalidArgument');
  return { bucket, name };
}

function readEntries(text: Buffer): SloEntry[] {
  try {
    const all = JSON.parse(text.toString()) as Partial<SloEntry>[];
    return all.map(({ path = '', etag = '', size_bytes = 0 }) => ({ path, etag, size_bytes }));
  } catch {
    throw new Refusal('InvalidArgument');
  }
}
