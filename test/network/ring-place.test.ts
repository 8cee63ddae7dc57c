import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RingPlace, type RingPlaceOptions } from '../../src/network/ring-place.ts';
import { WrongNetwork } from '../../src/network/ring-network.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { MANAGEMENT, port, USER_PORT, USERS } from './vm-ports.ts';

const NODE = { network: 'auto', name: null, source_address: null };

function bench(
  change: Partial<RingPlaceOptions> = {},
  node: Partial<RingPlaceOptions['node']> = {},
) {
  const clock = new ManualClock();
  const { log, texts, lines } = recordingLog();
  let ports = [USERS, MANAGEMENT];
  const place = new RingPlace({
    node: { ...NODE, ...node },
    userPort: USER_PORT,
    isolation: true,
    readPorts: () => Promise.resolve(ports),
    hostName: () => Promise.resolve('n1.lab'),
    resolve: (name) => Promise.resolve(isIP(name) === 0 ? ['192.168.77.11'] : [name]),
    nameOf: () => Promise.resolve(null),
    clock,
    log,
    ...change,
  });
  return { place, clock, texts, lines, plug: (...now: typeof ports) => (ports = now) };
}

describe('the name to register under', () => {
  it.each<[string, Partial<RingPlaceOptions['node']>, string]>([
    ['the host name', {}, 'n1.lab'],
    ['the one that is configured', { name: 'db1.lab' }, 'db1.lab'],
    ['the address in the user’s network', { name: 'address' }, '192.168.77.11'],
    ['that in the other one', { name: 'address', network: 'management' }, '10.77.0.11'],
    [
      'whatever it is on a machine that has the whole ring',
      { name: '127.0.0.11', source_address: '127.0.0.11' },
      '127.0.0.11',
    ],
  ])('is %s', async (_, node, name) => {
    const { place } = bench({}, node);
    expect(await place.registeredName()).toBe(name);
    expect(place.view.problem).toBeNull();
  });

  it('is not asked of a DNS that does not answer', async () => {
    const { place, clock } = bench({ resolve: () => new Promise(() => undefined) });
    const name = place.registeredName();
    await clock.advance(5_000);
    expect(await name).toBe('n1.lab');
  });

  const sixth = port('ens3', USERS.mac, 'fd77:1::11/64');
  const sixthPort = {
    mac: USERS.mac,
    addresses: [{ address: 'fd77:1::11', cidr: 'fd77:1::/64', gateway: null, routes: [] }],
  };
  it.each<[string, Partial<RingPlaceOptions>, Partial<RingPlaceOptions['node']>, string]>([
    [
      'is an address with a name',
      { nameOf: () => Promise.resolve('host-192-168-77-11.openstacklocal') },
      { name: 'address' },
      '192.168.77.11 has the name host-192-168-77-11.openstacklocal on this VM',
    ],
    ['every VM has for itself', {}, { name: 'localhost' }, "every VM's name for itself"],
    [
      'leads to the other network',
      { resolve: () => Promise.resolve(['10.77.0.11']) },
      {},
      'n1.lab leads to 10.77.0.11 on ens4',
    ],
    [
      'is an address in the other network',
      { resolve: (name) => Promise.resolve([name]) },
      { name: '10.77.0.11' },
      'it is at 10.77.0.11 on ens4',
    ],
    ['is an IPv6 address', {}, { name: 'fd77:1::11' }, 'could never leave the ring'],
    [
      'would be an IPv6 address',
      { readPorts: () => Promise.resolve([sixth]), userPort: sixthPort },
      { name: 'address' },
      'could never leave the ring',
    ],
    [
      'could be one of several addresses',
      { userPort: null },
      { name: 'address' },
      'this VM has several (192.168.77.11 on ens3, 10.77.0.11 on ens4)',
    ],
    [
      'is of a VM without a network',
      { readPorts: () => Promise.resolve([]) },
      {},
      'no port of this VM',
    ],
  ])('is none that %s', async (_, change, node, why) => {
    const { place, lines } = bench(change, node);
    await expect(place.registeredName()).rejects.toThrow(WrongNetwork);
    await expect(place.registeredName()).rejects.toMatchObject({ retryable: true });
    expect(place.view.problem).toContain(why);
    expect(lines).toHaveLength(1);
  });
});

describe('a port that is down', () => {
  it('is a problem for as long as it is, and is logged once', async () => {
    const { place, clock, plug, texts } = bench();
    await place.look();
    expect(place.view.network?.kind).toBe('user');
    plug({ ...USERS, isUp: false, addresses: [] }, MANAGEMENT);
    await clock.advance(5_000);
    await place.look();
    await clock.advance(7_000);
    await place.look();
    expect(place.view).toMatchObject({ network: null, problemMs: 7_000 });
    expect(place.view.problem).toContain('ens3');
    plug(USERS, MANAGEMENT);
    await clock.advance(5_000);
    await place.look();
    expect(place.view).toMatchObject({ problem: null, problemMs: 0, network: { kind: 'user' } });
    expect(texts).toEqual(['the network of the ring', 'the network of the ring is right again']);
  });
});

it('a name that was wrong, and is not wanted any more, is no problem', async () => {
  const { place, clock } = bench({}, { name: 'localhost' });
  await expect(place.registeredName()).rejects.toThrow();
  await clock.advance(180_000);
  expect(place.view.problem).toContain('localhost');
  await clock.advance(1);
  expect(place.view.problem).toBeNull();
});

describe('a server of the role', () => {
  it('is judged by the network of the ring, and by nothing before that is known', async () => {
    const { place } = bench();
    expect(await place.whyMisplaced('n2.lab', ['10.77.0.12'], false)).toBeNull();
    await place.look();
    expect(await place.whyMisplaced('n2.lab', ['10.77.0.12'], false)).toContain('network of ens4');
    expect(await place.whyMisplaced('n1.lab', ['10.77.0.11'], true)).toContain('on ens4');
    expect(await place.whyMisplaced('n1.lab', ['192.168.77.11'], true)).toBeNull();
  });

  it('with an address for its name must have no other', async () => {
    const nameOf = (address: string) =>
      Promise.resolve(address === '192.168.77.12' ? 'n2.lab' : null);
    const { place } = bench({ nameOf });
    await place.look();
    const why = (name: string) => place.whyMisplaced(name, [name], false);
    expect(await why('192.168.77.12')).toContain('has the name n2.lab');
    expect(await why('192.168.77.13')).toBeNull();
  });

  it('is not judged on a machine that has the whole ring', async () => {
    const { place } = bench({ userPort: null }, { source_address: '127.0.0.11' });
    await place.look();
    expect(await place.whyMisplaced('127.0.0.12', ['127.0.0.12'], true)).toBeNull();
  });
});

describe('the address to call K2HR3 from', () => {
  const url = 'http://127.0.0.1:18080';
  it('is the one that K2HR3 knows, while this VM has it', async () => {
    const { place } = bench();
    expect(await place.sourceAddress(url, '10.77.0.11')).toBe('10.77.0.11');
    expect(await place.sourceAddress(url, '10.77.0.99')).toBe('127.0.0.1'); // by the route
  });

  it('is another when K2HR3 has moved to addresses of the other family', async () => {
    const resolve = (found: string[]) => ({ resolve: () => Promise.resolve(found) });
    const at = (found: string[]) =>
      bench(resolve(found)).place.sourceAddress('http://k2hr3.lab:1', '10.77.0.11');
    expect(await at(['::1'])).toBe('::1'); // by the route
    expect(await at(['::1', '127.0.0.1'])).toBe('10.77.0.11');
    expect(await at([])).toBe('10.77.0.11'); // nobody can say
  });

  it.each<[string, Partial<RingPlaceOptions>, Partial<RingPlaceOptions['node']>]>([
    [
      'there is one network only',
      { readPorts: () => Promise.resolve([MANAGEMENT]), userPort: null },
      {},
    ],
    ['it is configured', {}, { source_address: '10.77.0.11' }],
    ['nobody knows where K2HR3 is', { resolve: () => Promise.resolve([]) }, {}],
  ])('is for the system to choose when %s', async (_, change, node) => {
    const { place } = bench(change, node);
    expect(await place.sourceAddress('http://k2hr3.lab:1', undefined)).toBeUndefined();
  });
});
