import { expect, it } from 'vitest';
import {
  backupObject,
  segmentIndex,
  segmentObject,
} from '../../../src/backup/swift/object-names.ts';

it('names a backup and its segments as Trove’s own agent does', () => {
  expect(backupObject('b-1')).toBe('b-1.gz');
  expect(segmentObject('b-1', 0)).toBe('b-1_00000000');
  expect(segmentObject('b-1', 12_345_678)).toBe('b-1_12345678');
});

it.each([
  ['b-1_00000007', 7],
  ['b-1.gz', null],
  ['b-1_7', null],
  ['b-1_000000070', null],
  ['b-10_00000007', null],
  ['xb-1_00000007', null],
  ['b-1_0000000x', null],
])('%s is segment %s of the backup b-1', (name, index) => {
  expect(segmentIndex('b-1', name)).toBe(index);
});
