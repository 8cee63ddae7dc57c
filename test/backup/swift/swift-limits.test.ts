import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { infoSchema, USUAL_LIMITS } from '../../../src/backup/swift/swift-limits.ts';

describe('the limits of a Swift', () => {
  it.each([
    ['says nothing of them', { swift: {}, slo: {} }, {}],
    ['has other sizes', { swift: { max_file_size: 7 }, slo: {} }, { objectBytes: 7 }],
    ['has other counts', { swift: {}, slo: { max_manifest_segments: 5 } }, { segments: 5 }],
    ['has long segments', { swift: {}, slo: { min_segment_size: 9 } }, { leastSegmentBytes: 9 }],
    ['has short manifests', { swift: {}, slo: { max_manifest_size: 2048 } }, { segments: 4 }],
    ['has manifests for one', { swift: {}, slo: { max_manifest_size: 100 } }, { segments: 1 }],
    ['has no large objects', { swift: {} }, { segments: 1 }],
    ['is an RGW', { bulk_delete: {}, swift: { version: '19' }, slo: {}, tempurl: {} }, {}],
  ])('that %s', (_, info, limits) => {
    expect(v.parse(infoSchema, info)).toEqual({ ...USUAL_LIMITS, ...limits });
  });

  it.each([
    null,
    [],
    {},
    { slo: {} },
    { swift: { max_file_size: 0 } },
    { swift: { max_file_size: '5' } },
    { swift: {}, slo: { max_manifest_segments: 1.5 } },
    { swift: {}, slo: { min_segment_size: 2 ** 60 } },
  ])('are not to be had from %j', (info) => {
    expect(v.safeParse(infoSchema, info).success).toBe(false);
  });
});
