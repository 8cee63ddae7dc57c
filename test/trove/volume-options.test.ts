import { expect, it } from 'vitest';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { readVolumeOptions } from '../../src/trove/volume-options.ts';

const read = (...lines: string[]) =>
  readVolumeOptions(new OsloConfig(parseConfig(['[DEFAULT]', ...lines, ''].join('\n'), 'x.conf')));

it('without options it is what Trove has', () => {
  const usual = {
    fileSystem: 'ext4',
    formatOptions: ['-m', '5'],
    mountOptions: 'defaults,noatime',
  };
  expect(read()).toEqual(usual);
  expect(read('volume_fstype =', 'format_options = None', 'mount_options = None')).toEqual(usual);
});

it('reads all three, options of mkfs as words', () => {
  expect(
    read('volume_fstype = ext3', 'format_options = -m 1  -L k', 'mount_options = noatime'),
  ).toEqual({
    fileSystem: 'ext3',
    formatOptions: ['-m', '1', '-L', 'k'],
    mountOptions: 'noatime',
  });
});

it('xfs has no reserve of blocks to set', () => {
  expect(read('volume_fstype = xfs').formatOptions).toEqual([]);
  expect(read('volume_fstype = xfs', 'format_options = -f').formatOptions).toEqual(['-f']);
});

it.each([
  ['volume_fstype = btrfs', 'x.conf:2: volume_fstype is "btrfs", not one of ext3, ext4, xfs'],
  ['format_options = -L "a b"', 'x.conf:2: format_options holds a quote or a backslash'],
  ["format_options = -L 'a'", 'x.conf:2: format_options holds a quote or a backslash'],
  ['format_options = -L a\\b', 'x.conf:2: format_options holds a quote or a backslash'],
])('%s is refused', (line, why) => {
  expect(() => read(line)).toThrow(why);
});
