import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseUserPort, readUserPort } from '../../src/trove/user-port.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/trove/eth1-${name}.json`, import.meta.url));
const ROUTES = [{ destination: '192.168.88.0/24', nexthop: '192.168.77.254' }];
const V4 = { address: '192.168.77.11', cidr: '192.168.77.0/24', gateway: '192.168.77.1' };

describe('what Trove wrote', () => {
  it.each([
    ['ipv4', [{ ...V4, routes: ROUTES }]],
    ['ipv4-bare', [{ ...V4, gateway: null, routes: [] }]],
    [
      'dual',
      [
        { ...V4, routes: ROUTES },
        {
          address: 'fd77:1::f816:3eff:fe77:10b',
          cidr: 'fd77:1::/64',
          gateway: null,
          routes: [],
        },
      ],
    ],
    ['ipv6', [{ address: 'fd77:1::11', cidr: 'fd77:1::/64', gateway: 'fd77:1::1', routes: [] }]],
  ])('for a port of %s is read', async (name, addresses) => {
    expect(await readUserPort(fixture(name))).toEqual({ mac: 'fa:16:3e:77:01:0b', addresses });
  });

  it('is nothing for an instance with one port', async () => {
    expect(await readUserPort(path.join(await temporaryDirectory(), 'eth1.json'))).toBeNull();
  });
});

describe('what Trove did not write', () => {
  const good = JSON.parse(readFileSync(fixture('ipv4'), 'utf8')) as Record<string, unknown>;
  const route = { destination: '10.9.0.0/16', nexthop: '192.168.77.2' };

  it.each<[string, string | Record<string, unknown>, string]>([
    ['a half of it', '{"mac_address": "fa:16', 'it is not JSON'],
    ['nothing', '', 'it is not JSON'],
    ['a word', '"eth1"', 'it must be a map'],
    ['no MAC address', { mac_address: undefined }, 'mac_address is missing'],
    ['another MAC address', { mac_address: 'eth1' }, 'mac_address must be a MAC address'],
    ['no address', { ipv4_address: null }, 'neither ipv4_address nor ipv6_address'],
    ['no network', { ipv4_cidr: null }, '192.168.77.11 has no network'],
    ['a network without a length', { ipv4_cidr: '192.168.77.0' }, 'ipv4_cidr must be an IPv4'],
    ['another network', { ipv4_cidr: '10.0.0.0/8' }, '192.168.77.11 is not in 10.0.0.0/8'],
    ['an IPv6 address for IPv4', { ipv4_address: 'fd77::1' }, 'ipv4_address must be an IPv4'],
    ['a gateway of two lines', { ipv4_gateway: '10.0.0.1\n' }, 'ipv4_gateway must be an IPv4'],
    ['routes that are no list', { ipv4_host_routes: {} }, 'ipv4_host_routes must be a list'],
    [
      'a route to nowhere',
      { ipv4_host_routes: [{ destination: 'x', nexthop: '192.168.77.2' }] },
      'ipv4_host_routes.0.destination must be an IPv4 network',
    ],
    [
      'too many routes',
      { ipv4_host_routes: Array(257).fill(route) },
      'ipv4_host_routes must have at most 256 routes',
    ],
  ])('%s, is refused in one line', (_, change, why) => {
    const text = typeof change === 'string' ? change : JSON.stringify({ ...good, ...change });
    const parse = () => parseUserPort(text, '/etc/trove/eth1.json');
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(why);
    expect(parse).toThrow(/^\/etc\/trove\/eth1\.json: .*; Trove writes this file [^\n]*$/);
  });

  it('is not read to its end when it has none, or is a folder', async () => {
    const directory = await temporaryDirectory();
    const large = path.join(directory, 'large');
    await writeFile(large, ' '.repeat(70_000));
    await expect(readUserPort(large)).rejects.toThrow('it is larger than 64 KiB');
    await expect(readUserPort('/dev/zero')).rejects.toThrow('it is larger than 64 KiB');
    await expect(readUserPort(directory)).rejects.toThrow(ConfigurationError);
  });
});
