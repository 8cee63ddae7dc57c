import { expect, it } from 'vitest';
import { cidrHolds, cidrsOverlap, isCidr } from '../../src/network/cidr.ts';

it.each([
  ['10.0.0.0/8', true],
  ['10.0.0.5/24', true],
  ['0.0.0.0/0', true],
  ['fd77::/64', true],
  ['10.0.0.0/33', false],
  ['fd77::/129', false],
  ['10.0.0.0', false],
  ['10.0.0/8', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.0/8\n', false],
  ['auto', false],
  ['', false],
])('%j is a network: %s', (text, expected) => {
  expect(isCidr(text)).toBe(expected);
});

it('is of one family', () => {
  expect([isCidr('10.0.0.0/8', 4), isCidr('10.0.0.0/8', 6)]).toEqual([true, false]);
});

it.each([
  ['10.0.0.0/24', '10.0.0.255', true],
  ['10.0.0.5/24', '10.0.0.9', true],
  ['10.0.0.0/24', '10.0.1.0', false],
  ['fd77::/64', 'fd77::9', true],
  ['fd77::/64', 'fd78::9', false],
  ['0.0.0.0/0', 'fd77::9', false],
  ['0.0.0.0/0', 'node1', false],
])('%s holds %s: %s', (network, address, expected) => {
  expect(cidrHolds(network, address)).toBe(expected);
});

it.each([
  ['10.0.0.5/24', '10.0.0.9/24', true],
  ['10.0.0.5/8', '10.200.0.9/24', true],
  ['10.200.0.9/24', '10.0.0.5/8', true],
  ['10.0.0.5/24', '10.0.1.5/24', false],
  ['10.0.0.5/24', 'fd77::5/64', false],
])('%s and %s have addresses in common: %s', (one, other, expected) => {
  expect(cidrsOverlap(one, other)).toBe(expected);
});
