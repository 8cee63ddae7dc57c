import { expect, it } from 'vitest';
import { withVolume } from '../../src/node/data-folders.ts';

const FOLDERS = { all: ['/srv', '/data'], own: ['/data'] };

it.each([
  [null, FOLDERS],
  ['/data', FOLDERS],
  ['/data/', FOLDERS],
  ['/mnt/../vol/', { all: ['/srv', '/data', '/vol'], own: ['/data', '/vol'] }],
])('a volume at %s is a folder for data, written as the others are', (mountPoint, expected) => {
  const volume = mountPoint === null ? null : { device: '/dev/vdb', mountPoint, uuid: null };
  expect(withVolume(FOLDERS, volume)).toEqual(expected);
});
