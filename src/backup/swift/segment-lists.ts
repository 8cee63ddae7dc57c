import * as v from 'valibot';
import { countSchema } from '../../base/schemas.ts';

/** Something in a container's list. */
export interface ListedObject {
  name: string;
  bytes: number;
  /** MD5 in hex, of a plain object; empty when the list does not say. */
  hash: string;
}

/** The list of a container. What Ceph RGW does not know about an object it leaves out. */
export const listSchema: v.GenericSchema<unknown, ListedObject[]> = v.array(
  v.object({ name: v.string(), bytes: countSchema, hash: v.optional(v.string(), '') }),
);

/** As Swift tells it. A segment that is itself large, or a part of an object, has more keys: no backup has such. */
const toldSegment = v.strictObject({
  name: v.string(),
  bytes: countSchema,
  hash: v.string(),
  content_type: v.unknown(),
  last_modified: v.unknown(),
});

/** As whoever made the object wrote it, which is what newer Ceph RGW answers. */
const writtenSegment = v.pipe(
  v.strictObject({ path: v.string(), etag: v.string(), size_bytes: countSchema }),
  v.transform(({ path, etag, size_bytes }) => ({ name: path, bytes: size_bytes, hash: etag })),
);

/** The manifest of a static large object, in either form (docs/contracts/swift.md, 11.2). */
export const manifestSchema: v.GenericSchema<unknown, ListedObject[]> = v.union([
  v.pipe(
    v.array(toldSegment),
    v.transform((all) => all.map(({ name, bytes, hash }) => ({ name, bytes, hash }))),
  ),
  v.array(writtenSegment),
]);
