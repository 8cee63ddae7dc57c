import { describe, expect, it } from 'vitest';
import { statusDocument } from '../../src/node/status-document.ts';
import { ring } from '../ring/rings.ts';
import { alter, desiredState, observed, ROLE } from './builders.ts';
import { STATUS_PARTS as PARTS } from './status-parts.ts';

it('says what the node is', () => {
  expect(statusDocument(PARTS)).toEqual({
    version: 1,
    agent: PARTS.agent,
    mode: 'server',
    node: { state: 'serving', since: PARTS.stateSince, step: 'serving' },
    trove: 'healthy',
    programs: { chmpx: 43, k2hdkc: 44 },
    network: null,
    role: { servers: 2, problem: null },
    ring: {
      group: 'ring',
      servers: [
        {
          name: 'a',
          cuk: 'cuk-a',
          status: '[SERVICE IN][UP][n/a][Nothing][NoSuspend]',
          self: false,
        },
        {
          name: 'b',
          cuk: 'cuk-b',
          status: '[SERVICE IN][UP][n/a][Nothing][NoSuspend]',
          self: true,
        },
      ],
    },
    concerns: [],
  });
});

it('says so before the first look too', () => {
  const { node, ring: seen } = statusDocument({ ...PARTS, snapshot: null, ring: null });
  expect(node).toMatchObject({ state: 'unknown', step: 'starting' });
  expect(seen).toBeNull();
});

it('changes nothing while nothing happens, however time passes', () => {
  const { snapshot } = PARTS;
  if (!snapshot) throw new Error('no snapshot');
  const later = alter(snapshot.observed, {
    now: 9_000_000,
    statusStableMs: 99_000,
    ringStillMs: 1,
  });
  expect(statusDocument({ ...PARTS, snapshot: { ...snapshot, observed: later } })).toEqual(
    statusDocument(PARTS),
  );
});

it('says why the role is of no use, and what the agent waits for', () => {
  const document = statusDocument({
    ...PARTS,
    snapshot: {
      desired: desiredState(),
      observed: observed({ role: { ...ROLE, servers: 3, problem: 'K2HR3 does not answer' } }),
      state: 'registering',
      step: { kind: 'wait', why: 'waiting for the role' },
    },
  });
  expect(document.role).toEqual({ servers: 3, problem: 'K2HR3 does not answer' });
  expect(document.node).toMatchObject({ state: 'registering', step: 'waiting for the role' });
});

describe('the row of this node', () => {
  const selves = (self: ReturnType<typeof ring>): (string | undefined)[] =>
    statusDocument({ ...PARTS, ring: self }).ring?.servers.map((row) =>
      row.self ? row.name : undefined,
    ) ?? [];

  it('is the one of its name and control port', () => {
    expect(selves(ring('a', 'IN', 'IN DOWN'))).toEqual(['a', undefined]);
    const seen = ring('a', 'IN', 'IN');
    const other = { ...seen, self: { ...seen.self, controlPort: 9 } };
    expect(selves(other)).toEqual([undefined, undefined]);
  });

  it('is none for a slave, also on a machine that it shares with a server', () => {
    const seen = ring('a', 'IN', 'IN');
    expect(selves({ ...seen, self: { ...seen.self, ring: 'SLAVE' } })).toEqual([
      undefined,
      undefined,
    ]);
  });
});
