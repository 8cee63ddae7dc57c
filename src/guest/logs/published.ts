import * as v from 'valibot';
import { countSchema, md5Schema } from '../../base/schemas.ts';
import { positionSchema } from './log-source.ts';

const name = v.pipe(v.string(), v.maxLength(1024));

/** What is known about a log in the account of one project. */
export const publishedSchema = v.object({
  projectId: v.pipe(v.string(), v.maxLength(255)),
  container: name,
  /** Bytes of the log. */
  bytes: countSchema,
  /** What is published ends here; null: nothing is. */
  position: v.nullable(positionSchema),
  /** MD5 of the first line that was published. */
  headerDigest: v.nullable(md5Schema),
  /** Of the newest object: the names of the next ones come after it. */
  lastObject: v.nullable(name),
  /** What was being sent: Swift may have it or not. */
  sending: v.nullable(
    v.object({
      name,
      /** Bytes of the log in it. */
      source: countSchema,
      /** MD5 of what was sent. */
      md5: md5Schema,
      after: positionSchema,
      headerDigest: md5Schema,
    }),
  ),
  /** The metafile says something else. */
  staleMetafile: v.boolean(),
  /** A discard has begun: what was published counts no longer. */
  discarding: v.boolean(),
});

export type Published = v.InferOutput<typeof publishedSchema>;

/** A log of which nothing is published. */
export function nothingPublished(projectId: string, container: string): Published {
  return {
    projectId,
    container,
    bytes: 0,
    position: null,
    headerDigest: null,
    lastObject: null,
    sending: null,
    staleMetafile: false,
    discarding: false,
  };
}
