import { expect, it } from 'vitest';
import { isWithin } from '../../src/base/paths.ts';

it.each([
  ['/data', '/data', true],
  ['/data/x', '/data', true],
  ['/database', '/data', false],
  ['/', '/data', false],
  ['/', '/', true],
  ['/data', '/', true],
])('%s is %s or below it: %s', (file, folder, is) => {
  expect(isWithin(file, folder)).toBe(is);
});
