import { describe, expect, it } from 'vitest';
import { packedAtMost } from '../../../src/backup/make/packer.ts';
import { planSegments } from '../../../src/backup/make/segment-plan.ts';

const MEMBER = 1024 ** 2;
const PACKED = packedAtMost(MEMBER);

describe('a tar', () => {
  it('that fits for certain is one object, up to the last byte', () => {
    const wanted = 2 * PACKED;
    expect(planSegments(2 * MEMBER, MEMBER, wanted)).toEqual({ isOne: true, segmentBytes: wanted });
    expect(planSegments(2 * MEMBER, MEMBER, wanted - 1).isOne).toBe(false);
    expect(planSegments(2 * MEMBER + 1, MEMBER, wanted).isOne).toBe(false);
  });

  it('is cut into segments of the wanted size when there are not too many', () => {
    const wanted = 100 * MEMBER;
    expect(planSegments(500 * MEMBER, MEMBER, wanted)).toEqual({
      isOne: false,
      segmentBytes: wanted,
    });
  });

  it('is cut into 1000 segments at most, each of which ends with a member', () => {
    const { segmentBytes } = planSegments(5500 * MEMBER, MEMBER, 2 * MEMBER);
    // Each holds as many whole members as fit: that many segments hold them all.
    expect(Math.ceil(5500 / Math.floor(segmentBytes / PACKED))).toBeLessThanOrEqual(1000);
  });

  it('that Swift cannot take is refused', () => {
    const bytes = 2 ** 41;
    expect(() => planSegments(bytes, MEMBER, MEMBER)).toThrow(
      `the snapshot has ${bytes} bytes, Swift takes 1000 segments of ${2 ** 31}: it cannot be backed up`,
    );
  });
});
