import { expect, it } from 'vitest';
import { BufferBin } from '../../src/backup/buffer-bin.ts';

const LARGE = 100_000;

it('frees the memory of a large buffer at once', () => {
  const buffer = Buffer.allocUnsafeSlow(LARGE);
  new BufferBin().free(buffer);
  expect(buffer).toHaveLength(0);
});

it('leaves memory alone that small buffers share', () => {
  const one = Buffer.from('one');
  const other = Buffer.from('other');
  expect(one.buffer).toBe(other.buffer);
  new BufferBin().free(one);
  expect(other.toString()).toBe('other');
});

it('frees the memory of several views with the last one', () => {
  const bin = new BufferBin();
  const whole = Buffer.allocUnsafeSlow(LARGE);
  const first = whole.subarray(0, LARGE / 2);
  const last = whole.subarray(LARGE / 2);
  bin.freeLast(first);
  expect(whole).toHaveLength(LARGE);
  bin.freeLast(last);
  expect(whole).toHaveLength(0);
});
