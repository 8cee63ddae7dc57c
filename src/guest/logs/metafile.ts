import * as v from 'valibot';
import { jsonOf } from '../../base/text.ts';
import type { GuestLog } from './guest-log.ts';
import { publishedSchema, nothingPublished, type Published } from './published.ts';

const { bytes, headerDigest, position, lastObject } = publishedSchema.entries;

const schema = v.object({
  log_size: bytes,
  log_header_digest: headerDigest,
  position,
  last_object: lastObject,
});

/**
 * What stands in Swift beside the objects of a log: Trove's own five fields (docs/contracts/guest.md, 3), and
 * what an agent needs that has lost its state directory.
 */
export function metafileText({ name, type, source }: GuestLog, published: Published): string {
  return JSON.stringify({
    log_name: name,
    log_type: type,
    log_file: source?.label ?? '',
    log_size: published.bytes,
    log_header_digest: published.headerDigest,
    position: published.position,
    last_object: published.lastObject,
  });
}

/** Null when it is none of this agent's. */
export function parseMetafile(
  text: string,
  { projectId, container }: Pick<Published, 'projectId' | 'container'>,
): Published | null {
  const read = v.safeParse(schema, jsonOf(text));
  if (!read.success) return null;
  const said = read.output;
  return {
    ...nothingPublished(projectId, container),
    bytes: said.log_size,
    position: said.position,
    headerDigest: said.log_header_digest,
    lastObject: said.last_object,
  };
}
