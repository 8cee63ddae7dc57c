import { sameServer } from '../ring/ring.ts';
import { statusWords, type RingStatus } from '../ring/status.ts';
import type { DesiredState } from './desired-state.ts';
import type { NodeState } from './node-state.ts';
import type { Snapshot } from './reconciler.ts';
import type { PlaceView } from '../network/ring-place.ts';
import type { RingNetwork } from '../network/ring-network.ts';
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
  /** Where the ring is among this VM's networks; null before the first look. */
  network: NetworkStatus | null;
  /** How many servers the role in K2HR3 has, and why it cannot be read or used. */
  role: { servers: number; problem: string | null };
  /** As chmpxstatus shows it; null when chmpx does not run. */
  ring: { group: string; servers: ServerRow[] } | null;
  concerns: Concern[];
}

/** Which network the ring uses, and why. */
export interface NetworkStatus {
  /** See RingNetwork; null while there is none. */
  kind: RingNetwork['kind'] | null;
  /** Own addresses in it, with the length of the network. */
  addresses: { address: string; port: string }[];
  why: string;
  /** What this VM is registered as in K2HR3, and from where; null when the system chose the address. */
  registered: { name: string; from: string | null } | null;
  /** What is wrong; null when nothing is. */
  problem: string | null;
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
  place: PlaceView;
  ring: RingStatus | null;
  concerns: Concern[];
}

/** Nothing in it changes while nothing happens. */
export function statusDocument(parts: StatusParts): StatusDocument {
  const { agent, mode, snapshot, stateSince, programs, place, ring, concerns, trove } = parts;
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
    network: networkOf(place, snapshot),
    role: { servers: role?.servers ?? 0, problem: role?.problem ?? null },
    ring: ring && { group: ring.group, servers: rowsOf(ring) },
    concerns,
  };
}

function networkOf(
  { network, problem }: PlaceView,
  snapshot: Snapshot | null,
): NetworkStatus | null {
  if (network === null && problem === null) return null;
  const registration = snapshot?.desired.registration ?? null;
  return {
    kind: network?.kind ?? null,
    addresses: (network?.addresses ?? []).map(({ cidr, port }) => ({ address: cidr, port })),
    why: network?.why ?? '',
    registered: registration && {
      name: registration.tag,
      from: registration.localAddress ?? null,
    },
    problem,
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
