import type { StatusParts } from '../../src/node/status-document.ts';
import { ring } from '../ring/rings.ts';
import { desiredState, observed, ROLE } from './builders.ts';

/** What the status of a server that serves in a ring of two is made from. */
export const STATUS_PARTS: StatusParts = {
  agent: { version: '1.2.3', pid: 42, since: '2026-01-01T00:00:00.000Z' },
  mode: 'server',
  trove: 'healthy',
  snapshot: {
    desired: desiredState(),
    observed: observed({ role: { ...ROLE, servers: 2 } }),
    state: 'serving',
    step: { kind: 'rest', why: 'serving' },
  },
  stateSince: '2026-01-01T00:00:01.000Z',
  programs: { chmpx: 43, k2hdkc: 44 },
  place: { network: null, problem: null, problemMs: 0 },
  ring: ring('b', 'IN', 'IN'),
  concerns: [],
};
