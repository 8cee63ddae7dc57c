import { expect, it } from 'vitest';
import { parseArgs } from '../../src/trove/guest-args.ts';
import { names } from '../../src/trove/guest-method.ts';

const schema = names('user', 'hostname?');

it.each([{ user: 'u', hostname: 'h' }, { user: { name: 'u' } }, { user: null, hostname: null }])(
  'takes any values for arguments that are named: %j',
  (args) => {
    expect(parseArgs('get_user', schema, args)).toEqual(args);
  },
);

it('wants every argument but those that may be left out', () => {
  expect(() => parseArgs('get_user', schema, { hostname: 'h' })).toThrow('user');
});

it('wants nothing when nothing is named', () => {
  expect(parseArgs('get_users', names(), {})).toEqual({});
});
