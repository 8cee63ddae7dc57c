import { AgentError } from '../../base/errors.ts';
import type { SwiftLimits } from '../swift/swift-limits.ts';
import { packedAtMost } from './packer.ts';

/** As many as Swift takes by default, and the largest of Trove's own (docs/contracts/swift.md, 3.2 and 3.6). */
const MOST_SEGMENTS = 1000;
const LARGEST_SEGMENT = 2 * 1024 ** 3;

/** What is known about the sizes before anything is packed. */
export interface SegmentPlan {
  /** It fits one object of this size for certain, so that no segments are needed. */
  isOne: boolean;
  /** No segment becomes longer, in bytes. */
  segmentBytes: number;
}

/**
 * How a tar of `bytes` is cut: into segments of the wanted size as far as this Swift takes them, or larger
 * ones when there would be too many. Throws AgentError when Swift cannot take it at all.
 */
export function planSegments(
  bytes: number,
  memberBytes: number,
  wanted: number,
  limits: SwiftLimits,
): SegmentPlan {
  const member = packedAtMost(memberBytes);
  const most = Math.ceil(bytes / memberBytes) * member;
  const count = Math.min(MOST_SEGMENTS, limits.segments);
  // A segment ends with a member, so that it can stay short of its limit by almost one.
  const forLeast = limits.leastSegmentBytes + member;
  const forCount = Math.ceil(most / count) + member;
  const largest = Math.min(Math.max(LARGEST_SEGMENT, forLeast), limits.objectBytes);
  const wish = Math.min(Math.max(wanted, forLeast), largest);
  const segmentBytes = most <= wish ? wish : Math.max(wish, forCount);
  if (segmentBytes > largest) {
    throw new AgentError(
      `the snapshot has ${bytes} bytes, Swift takes ${count} segments of ${largest}: it cannot be backed up`,
    );
  }
  if (most > segmentBytes && segmentBytes < forLeast) {
    throw new AgentError(
      `Swift takes segments of ${limits.leastSegmentBytes} to ${largest} bytes, which pieces of ${member} bytes cannot keep: it cannot be backed up`,
    );
  }
  return { isOne: most <= segmentBytes, segmentBytes };
}
