import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/node/status-document.ts';
import { statusText } from '../../src/cli/status-text.ts';

const NOW = Date.parse('2026-01-02T03:00:00.000Z');
const SERVING = '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';
const DOCUMENT: StatusDocument = {
  version: 1,
  agent: { version: '1.2.3', pid: 42, since: '2025-12-30T23:00:00.000Z' },
  mode: 'server',
  node: { state: 'serving', since: '2026-01-02T01:55:00.000Z', step: 'serving' },
  trove: 'healthy',
  programs: { chmpx: 43, k2hdkc: 44 },
  network: null,
  role: { servers: 2, problem: null },
  ring: {
    group: 'mycluster',
    servers: [
      { name: 'node1', cuk: 'c1', status: SERVING, self: true },
      { name: 'node2', cuk: 'c2', status: SERVING, self: false },
    ],
  },
  concerns: [],
};

it('is a few lines when all is well', () => {
  expect(statusText(DOCUMENT, NOW))
    .toBe(`this server: serving for 1 h 5 min, Trove is told "healthy"
chmpx pid 43, k2hdkc pid 44, agent 1.2.3 pid 42 for 2 d 4 h
ring mycluster, 2 servers (2 in the role):
  ${SERVING} node1 (this node)
  ${SERVING} node2
nothing concerns you
`);
});

it('says what the agent waits for, what K2HR3 says, and what is wrong since when', () => {
  const document: StatusDocument = {
    ...DOCUMENT,
    node: { state: 'starting', since: '2026-01-02T02:59:15.000Z', step: 'chmpx is starting' },
    trove: null,
    programs: { chmpx: null, k2hdkc: null },
    role: { servers: 0, problem: 'it does not answer' },
    ring: null,
    concerns: [
      {
        kind: 'server-down',
        subject: 'node2',
        since: '2026-01-02T02:50:00.000Z',
        text: 'node2 is down: look at its VM',
      },
    ],
  };
  expect(statusText(document, NOW)).toBe(`this server: starting for 45 s (chmpx is starting)
chmpx not running, k2hdkc not running, agent 1.2.3 pid 42 for 2 d 4 h
K2HR3: it does not answer
ring: chmpx does not run
CONCERNS: 1
  server-down since 2026-01-02T02:50:00.000Z (10 min): node2 is down: look at its VM
`);
});

it('does not miss a k2hdkc on a slave', () => {
  const slave: StatusDocument = {
    ...DOCUMENT,
    mode: 'slave',
    trove: null,
    programs: { chmpx: 43, k2hdkc: null },
  };
  expect(statusText(slave, NOW)).not.toContain('k2hdkc');
});

describe('the network of the ring', () => {
  const line = (network: StatusDocument['network']): string | undefined =>
    statusText({ ...DOCUMENT, network }, NOW)
      .split('\n')
      .find((one) => /network/i.test(one));
  const user = {
    kind: 'user' as const,
    addresses: [{ address: '192.168.77.11/24', port: 'ens3' }],
    why: 'Trove describes its port for this VM',
    registered: { name: 'node1', from: '10.77.0.11' },
    problem: null,
  };

  it('is said with why it is this one, and what K2HR3 knows', () => {
    expect(line(user)).toBe(
      'network of the ring: user, 192.168.77.11/24 on ens3 (Trove describes its port for this VM); registered as node1 from 10.77.0.11',
    );
    expect(line({ ...user, kind: 'cidr', why: 'node.network is X', registered: null })).toBe(
      'network of the ring: 192.168.77.11/24 on ens3 (node.network is X)',
    );
  });

  it('is not worth a line where there is no other', () => {
    expect(line({ ...user, kind: 'only' })).toBeUndefined();
    expect(line(null)).toBeUndefined();
  });

  it('is missed before all else', () => {
    expect(line({ ...user, kind: null, addresses: [], problem: 'ens3 is down' })).toBe(
      'NO NETWORK for the ring: ens3 is down',
    );
  });

  it('is nothing that an agent of before wrote down', () => {
    const { network, ...old } = DOCUMENT;
    expect(network).toBeNull();
    expect(statusText(old as StatusDocument, NOW)).toBe(statusText(DOCUMENT, NOW));
  });
});
