import { describe, expect, it } from 'vitest';
import { resolveName } from '../../src/host/resolve-name.ts';

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
