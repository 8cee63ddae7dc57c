import { expect, it } from 'vitest';
import {
  logPrefix,
  metafileName,
  nextObject,
  timeOfObject,
} from '../../../src/guest/logs/object-names.ts';

const PREFIX = logPrefix('g-1', 'chmpx');
const AT = Date.UTC(2026, 10, 30, 23, 59, 59, 123);

it("are those of Trove's own agent", () => {
  expect(PREFIX).toBe('g-1/k2hdkc-chmpx/');
  expect(metafileName('g-1', 'chmpx')).toBe('g-1/k2hdkc-chmpx_metafile');
  expect(nextObject(PREFIX, AT + 0.456, null)).toBe(
    'g-1/k2hdkc-chmpx/log-2026-11-30T23:59:59.123456',
  );
});

it('go on after the one before when the clock stands, or went back', () => {
  let last = nextObject(PREFIX, AT, null);
  for (const at of [AT, AT - 86_400_000, AT]) {
    const next = nextObject(PREFIX, at, last);
    expect(next > last).toBe(true);
    last = next;
  }
  expect(last).toBe(`${PREFIX}log-2026-11-30T23:59:59.123003`);
});

it('go on after the last microsecond of a second', () => {
  expect(nextObject(PREFIX, 0, `${PREFIX}log-2026-12-31T23:59:59.999999`)).toBe(
    `${PREFIX}log-2027-01-01T00:00:00.000000`,
  );
});

it('say when an object was named', () => {
  expect(timeOfObject(nextObject(PREFIX, AT, null))).toBe(AT);
  expect(timeOfObject(`${PREFIX}something`)).toBeNull();
});
