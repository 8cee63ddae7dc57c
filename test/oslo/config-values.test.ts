import { expect, it } from 'vitest';
import { toBoolean, toInteger } from '../../src/oslo/config-values.ts';

it.each([
  ['7', 7],
  [' -7 ', -7],
  ['+7', 7],
  ['007', 7],
  ['7.0', undefined],
  ['0x7', undefined],
  ['7 7', undefined],
  ['', undefined],
  ['9007199254740993', undefined],
])('reads "%s" as the whole number %s', (text, value) => {
  expect(toInteger(text)).toBe(value);
});

it.each([
  ...['true', 'True', ' YES ', 'on', '1'].map((text) => [text, true] as const),
  ...['false', 'No', 'OFF', '0'].map((text) => [text, false] as const),
  ...['', 'None', '2', 'y'].map((text) => [text, undefined] as const),
])('reads "%s" as %s', (text, value) => {
  expect(toBoolean(text)).toBe(value);
});
