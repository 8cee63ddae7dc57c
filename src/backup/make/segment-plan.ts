import { AgentError } from '../../base/errors.ts';
import { packedAtMost } from './packer.ts';

/**
 * Swift's largest number of segments, and the largest of Trove's own (docs/contracts/swift.md, 3.2
 * and 3.6).
 */
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
 * How a tar of `bytes` is cut: into segments of the wanted size, or larger ones when there would be
 * too many. Throws AgentError when Swift cannot take it at all.
 */
export function planSegments(bytes: number, memberBytes: number, wanted: number): SegmentPlan {
  const member = packedAtMost(memberBytes);
  const most = Math.ceil(bytes / memberBytes) * member;
  // A segment ends with a member, so that it can stay short of its limit by almost one.
  const least = Math.ceil(most / MOST_SEGMENTS) + member;
  const segmentBytes = most <= wanted ? wanted : Math.max(wanted, least);
  if (segmentBytes > LARGEST_SEGMENT) {
    throw new AgentError(
      `the snapshot has ${bytes} bytes, Swift takes ${MOST_SEGMENTS} segments of ${LARGEST_SEGMENT}: it cannot be backed up`,
    );
  }
  return { isOne: most <= segmentBytes, segmentBytes };
}
