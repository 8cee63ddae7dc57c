import { sameServer } from '../ring/ring.ts';
import { statusWords, type RingStatus } from '../ring/status.ts';
import type { DesiredState } from './desired-state.ts';
import type { NodeState } from './node-state.ts';
import type { Snapshot } from './reconciler.ts';
import type { Concern } from '../ring/watch/concern-keeper.ts';

/** What an agent says about its node in status.json, for `k2hdkc-agent status` and for tools. */
export interface StatusDocument {
  version: 1;
  agent: { version: string; pid: number; since: string };
  mode: DesiredState['mode'];
  /** What the node is, since when (ISO 8601), and what the agent does about it or waits for. */
  node: { state: NodeState | 'unknown'; since: string; step: string };
  /** What Trove is told; null before prepare, and for a slave. */
  trove: string | null;
  /** Their PIDs; null when one does not run. */
  programs: { chmpx: number | null; k2hdkc: number | null };
  /** How many servers the role in K2HR3 has, and why it cannot be read or used. */
  role: { servers: number; problem: string | null };
  /** As chmpxstatus shows it; null when chmpx does not run. */
  ring: { group: string; servers: ServerRow[] } | null;
  concerns: Concern[];
}

/** A server of the ring; `status` in chmpx's own words. */
export interface ServerRow {
  name: string;
  cuk: string;
  status: string;
  self: boolean;
}

/** What a status document is made from. */
export interface StatusParts {
  agent: StatusDocument['agent'];
  mode: DesiredState['mode'];
  trove: string | null;
  /** The newest look of the reconciler; null before the first. */
  snapshot: Snapshot | null;
  stateSince: string;
  programs: StatusDocument['programs'];
  ring: RingStatus | null;
  concerns: Concern[];
}

/** Nothing in it changes while nothing happens. */
export function statusDocument(parts: StatusParts): StatusDocument {
  const { agent, mode, snapshot, stateSince, programs, ring, concerns, trove } = parts;
  const role = snapshot?.observed.seen.role;
  return {
    version: 1,
    agent,
    mode,
    node: {
      state: snapshot?.state ?? 'unknown',
      since: stateSince,
      step: snapshot?.step.why ?? 'starting',
    },
    trove,
    programs,
    role: { servers: role?.servers ?? 0, problem: role?.problem ?? null },
    ring: ring && { group: ring.group, servers: rowsOf(ring) },
    concerns,
  };
}

function rowsOf({ self, servers }: RingStatus): ServerRow[] {
  return servers.map((node) => ({
    name: node.name,
    cuk: node.cuk,
    status: statusWords(node),
    self: self.ring !== 'SLAVE' && sameServer(node, self),
  }));
}
