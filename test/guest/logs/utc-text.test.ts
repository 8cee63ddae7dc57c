import { expect, it } from 'vitest';
import { utcText } from '../../../src/guest/logs/utc-text.ts';

it.each([
  [0, '1970-01-01T00:00:00.000000'],
  [1, '1970-01-01T00:00:00.000001'],
  [1_764_547_199_123_456, '2025-11-30T23:59:59.123456'],
  [1_764_547_199_999_999, '2025-11-30T23:59:59.999999'],
])('%d microseconds are %s', (microseconds, text) => {
  expect(utcText(microseconds)).toBe(text);
});
