import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../../src/backup/swift/service-catalog.ts';

const WANTED = { serviceType: 'object-store', endpointType: 'publicURL', region: null };
const OLD = [
  { type: 'compute', endpoints: [{ region: 'one', publicURL: 'http://nova' }] },
  {
    type: 'object-store',
    endpoints: [
      { region: 'one', publicURL: 'http://one', internalURL: 'http://one-in' },
      { region: 'two', publicURL: 'http://two', internalURL: 'http://two-in' },
    ],
  },
];
const NEW = [
  {
    type: 'object-store',
    endpoints: [
      { interface: 'internal', region_id: 'one', url: 'http://one-in' },
      { interface: 'public', region_id: 'one', url: 'http://one' },
      { interface: 'internal', region_id: 'two', url: 'http://two-in' },
      { interface: 'public', region_id: 'two', url: 'http://two' },
    ],
  },
];

describe.each([
  ['of a request', OLD],
  ['of Keystone', NEW],
])('a catalog %s', (_, catalog) => {
  it.each([
    ['publicURL', null, 'http://one'],
    ['publicURL', 'two', 'http://two'],
    ['internalURL', 'two', 'http://two-in'],
    ['internal', 'one', 'http://one-in'],
    ['publicURL', 'three', null],
    ['adminURL', null, null],
  ])('has %s of region %s at %s', (endpointType, region, url) => {
    expect(endpointOf(catalog, { ...WANTED, endpointType, region })).toBe(url);
  });

  it('has nothing of another type', () => {
    expect(endpointOf(catalog, { ...WANTED, serviceType: 'volume' })).toBeNull();
  });
});

it.each([
  ['nothing', []],
  ['something else', ['x', null, 7]],
  ['a service without endpoints', [{ type: 'object-store' }]],
  ['endpoints that are none', [{ type: 'object-store', endpoints: ['x', null] }]],
  ['an empty URL', [{ type: 'object-store', endpoints: [{ publicURL: '' }] }]],
  ['a URL that is no text', [{ type: 'object-store', endpoints: [{ publicURL: 7 }] }]],
])('a catalog that holds %s has no URL', (_, catalog) => {
  expect(endpointOf(catalog, WANTED)).toBeNull();
});
