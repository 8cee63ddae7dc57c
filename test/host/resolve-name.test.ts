import { describe, expect, it } from 'vitest';
import { nameOfAddress, resolveName } from '../../src/host/resolve-name.ts';

describe('resolveName', () => {
  it('finds the addresses of a name, and an address by itself', async () => {
    expect(await resolveName('localhost')).toContain('127.0.0.1');
    expect(await resolveName('192.0.2.7')).toEqual(['192.0.2.7']);
  });

  it('finds none, or cannot ask anybody, for a name that no one may have (RFC 6761)', async () => {
    const found = await resolveName('node.invalid').catch(() => 'nobody could be asked');
    expect([[], 'nobody could be asked']).toContainEqual(found);
  });
});

it.each([
  ['127.0.0.1', expect.stringMatching(/./)],
  ['192.0.2.77', null],
])('gives the name of %s, or that there is none', async (address, name) => {
  // Where no DNS answers, nobody can say.
  expect(await nameOfAddress(address).catch(() => null)).toEqual(name);
});
