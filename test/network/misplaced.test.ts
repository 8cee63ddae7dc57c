import { expect, it } from 'vitest';
import { whyElsewhere, whyNotOurs } from '../../src/network/misplaced.ts';
import { chooseNetwork } from '../../src/network/ring-network.ts';
import { facts, MANAGEMENT, port, USER_MAC } from './vm-ports.ts';

const RING = chooseNetwork(facts());
const ONLY = chooseNetwork(facts({ userPort: null, ports: [MANAGEMENT] }));
const PLACE = 'the ring is in 192.168.77.11/24 on ens3 (Trove describes its port for this VM)';

it.each([
  ['its address in the ring', 'n1.lab', ['192.168.77.11'], null],
  ['what only this VM knows it by', 'n1.lab', ['127.0.1.1'], null],
  ['nowhere that anybody could say', 'n1.lab', [], null],
  [
    'the other network',
    'n1.lab',
    ['10.77.0.11'],
    `n1.lab leads to 10.77.0.11 on ens4, and ${PLACE}`,
  ],
  ['all its addresses', 'n1.lab', ['10.77.0.11', '192.168.77.11', 'fe80::1'], null],
  [
    'another machine',
    'n1.lab',
    ['203.0.113.7'],
    'n1.lab leads to 203.0.113.7, which is no address of this VM (it has 192.168.77.11, 10.77.0.11)',
  ],
  [
    'what K2HR3 saw behind a NAT',
    '203.0.113.7',
    ['203.0.113.7'],
    'it is at 203.0.113.7, which is no address of this VM (it has 192.168.77.11, 10.77.0.11)',
  ],
])('the name of this VM leads to %s', (_, name, addresses, why) => {
  expect(whyNotOurs(name, addresses, RING)).toBe(why);
});

it('an address that the port of the ring has beside Trove’s is one of this VM', () => {
  const users = port('ens3', USER_MAC, '192.168.77.11/24', 'fd77::f00/64');
  const ring = chooseNetwork(facts({ ports: [users, MANAGEMENT] }));
  expect(whyNotOurs('n1.lab', ['192.168.77.11', 'fd77::f00'], ring)).toBeNull();
});

it('of a VM with one network only an address is judged: what is not its own is behind a NAT', () => {
  expect(whyNotOurs('n1.lab', ['203.0.113.7'], ONLY)).toBeNull();
  expect(whyNotOurs('10.77.0.11', ['10.77.0.11'], ONLY)).toBeNull();
  expect(whyNotOurs('203.0.113.7', ['203.0.113.7'], ONLY)).toContain('no address of this VM');
});

it.each([
  ['there', ['192.168.77.12'], null],
  ['behind a router', ['192.168.88.12'], null],
  ['nowhere', [], null],
  [
    'in the other network',
    ['10.77.0.12'],
    `n2.lab leads to 10.77.0.12, which is in the network of ens4 (10.77.0.11/24), and ${PLACE}`,
  ],
  [
    'in both',
    ['192.168.77.12', '10.77.0.12'],
    `n2.lab leads to 10.77.0.12, which is in the network of ens4 (10.77.0.11/24), and ${PLACE}`,
  ],
])('another server is %s', (_, addresses, why) => {
  expect(whyElsewhere('n2.lab', addresses, RING)).toBe(why);
});

it('nothing is said of others where nothing is known of networks', () => {
  expect(
    whyElsewhere('n2.lab', ['10.77.0.12'], chooseNetwork(facts({ userPort: null }))),
  ).toBeNull();
});
