import * as v from 'valibot';

/** What a Swift takes at most. */
export interface SwiftLimits {
  /** Bytes of an object, and so of a segment. */
  objectBytes: number;
  /** Segments of a static large object; 1 where there are no such objects. */
  segments: number;
  /** Bytes that each segment must have, but the last. */
  leastSegmentBytes: number;
}

/** Swift's own, which Ceph RGW shares (docs/contracts/swift.md, 3.6 and 11.4). */
export const USUAL_LIMITS: SwiftLimits = {
  objectBytes: 5 * 1024 ** 3,
  segments: 1000,
  leastSegmentBytes: 1,
};
/** A line of a manifest: names of at most 256 bytes, an MD5, a size. */
const MANIFEST_LINE_BYTES = 512;

const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** The answer to `/info`: what it leaves out is as usual, but a Swift without `slo` has no large objects. */
export const infoSchema: v.GenericSchema<unknown, SwiftLimits> = v.pipe(
  v.object({
    swift: v.object({ max_file_size: v.optional(countSchema, USUAL_LIMITS.objectBytes) }),
    slo: v.optional(
      v.object({
        max_manifest_segments: v.optional(countSchema, USUAL_LIMITS.segments),
        max_manifest_size: v.optional(countSchema, Number.MAX_SAFE_INTEGER),
        min_segment_size: v.optional(countSchema, USUAL_LIMITS.leastSegmentBytes),
      }),
    ),
  }),
  v.transform(({ swift, slo }) => ({
    objectBytes: swift.max_file_size,
    segments: slo
      ? Math.max(
          1,
          Math.min(
            slo.max_manifest_segments,
            Math.floor(slo.max_manifest_size / MANIFEST_LINE_BYTES),
          ),
        )
      : 1,
    leastSegmentBytes: slo?.min_segment_size ?? USUAL_LIMITS.leastSegmentBytes,
  })),
);
