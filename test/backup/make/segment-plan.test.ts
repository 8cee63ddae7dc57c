import { describe, expect, it } from 'vitest';
import { packedAtMost } from '../../../src/backup/make/packer.ts';
import { planSegments, type SegmentPlan } from '../../../src/backup/make/segment-plan.ts';
import { USUAL_LIMITS, type SwiftLimits } from '../../../src/backup/swift/swift-limits.ts';

const MEMBER = 1024 ** 2;
const PACKED = packedAtMost(MEMBER);

function plan(bytes: number, wanted: number, limits: Partial<SwiftLimits> = {}): SegmentPlan {
  return planSegments(bytes, MEMBER, wanted, { ...USUAL_LIMITS, ...limits });
}

describe('a tar', () => {
  it('that fits for certain is one object, up to the last byte', () => {
    const wanted = 2 * PACKED;
    expect(plan(2 * MEMBER, wanted)).toEqual({ isOne: true, segmentBytes: wanted });
    expect(plan(2 * MEMBER, wanted - 1).isOne).toBe(false);
    expect(plan(2 * MEMBER + 1, wanted).isOne).toBe(false);
  });

  it('is cut into segments of the wanted size when there are not too many', () => {
    const wanted = 100 * MEMBER;
    expect(plan(500 * MEMBER, wanted)).toEqual({
      isOne: false,
      segmentBytes: wanted,
    });
  });

  it('is cut into 1000 segments at most, each of which ends with a member', () => {
    const { segmentBytes } = plan(5500 * MEMBER, 2 * MEMBER);
    // Each holds as many whole members as fit: that many segments hold them all.
    expect(Math.ceil(5500 / Math.floor(segmentBytes / PACKED))).toBeLessThanOrEqual(1000);
  });

  it('that Swift cannot take is refused', () => {
    const bytes = 2 ** 41;
    expect(() => plan(bytes, MEMBER)).toThrow(
      `the snapshot has ${bytes} bytes, Swift takes 1000 segments of ${2 ** 31}: it cannot be backed up`,
    );
  });

  it('is cut into segments no larger than an object may be', () => {
    const objectBytes = 10 * MEMBER;
    const cut = plan(500 * MEMBER, 100 * MEMBER, { objectBytes });
    expect(cut).toEqual({ isOne: false, segmentBytes: objectBytes });
  });

  it('is cut into segments that still have the least when they end with a member', () => {
    const leastSegmentBytes = 8 * MEMBER;
    const { segmentBytes } = plan(500 * MEMBER, 2 * MEMBER, { leastSegmentBytes });
    expect(segmentBytes - PACKED).toBeGreaterThanOrEqual(leastSegmentBytes);
  });

  it('is refused before anything is sent when a segment could be shorter than the least', () => {
    const limits = { objectBytes: 10 * MEMBER, leastSegmentBytes: 10 * MEMBER - PACKED + 1 };
    expect(() => plan(500 * MEMBER, 2 * MEMBER, limits)).toThrow(
      `Swift takes segments of ${limits.leastSegmentBytes} to ${limits.objectBytes} bytes, which pieces of ${PACKED} bytes cannot keep: it cannot be backed up`,
    );
    expect(plan(9 * MEMBER, 2 * MEMBER, limits).isOne).toBe(true);
    const enough = { ...limits, leastSegmentBytes: limits.leastSegmentBytes - 1 };
    expect(plan(500 * MEMBER, 2 * MEMBER, enough).segmentBytes).toBe(10 * MEMBER);
  });

  it('has segments over 2 GiB only where shorter ones are refused', () => {
    const leastSegmentBytes = 3 * 1024 ** 3;
    expect(plan(2 ** 40, MEMBER, { leastSegmentBytes }).segmentBytes).toBe(
      leastSegmentBytes + PACKED,
    );
  });

  it('is cut into no more segments than a manifest may have', () => {
    const { segmentBytes } = plan(500 * MEMBER, 2 * MEMBER, { segments: 20 });
    expect(Math.ceil(500 / Math.floor(segmentBytes / PACKED))).toBeLessThanOrEqual(20);
  });

  it('is one object where there are no large ones, as long as that takes it', () => {
    const limits = { segments: 1, objectBytes: 600 * MEMBER };
    expect(plan(500 * MEMBER, 2 * MEMBER, limits).isOne).toBe(true);
    expect(() => plan(700 * MEMBER, 2 * MEMBER, limits)).toThrow(
      `Swift takes 1 segments of ${600 * MEMBER}: it cannot be backed up`,
    );
  });
});
