import { membershipChangeRuns, sameServer, serverKey } from '../ring.ts';
import { statusWords, type RingNode, type RingStatus } from '../status.ts';
import type { ExpectedRing } from '../expected-ring.ts';

/** What can be wrong with a ring, as this node sees it. */
export type ConcernKind =
  /** A server of the role is down. */
  | 'server-down'
  /** A server in service has no k2hdkc. */
  | 'server-suspended'
  /** A server runs, and does not come into service. */
  | 'server-out'
  /** A merge moves data for longer than its limit. */
  | 'merge-long'
  /** A merge was begun, moves nothing, and nobody goes on with it. */
  | 'merge-waits'
  /** chmpx has other servers than the role in K2HR3. */
  | 'role-differs'
  /** The role in K2HR3 must not be used. */
  | 'role-refused'
  /** A server is UP by chmpxstatus and does not answer: a cut network shows in no status. */
  | 'no-answer'
  /** Another server sees the ring otherwise. */
  | 'view-differs'
  /** This node's chmpx does not read a connection. */
  | 'unread'
  /** Servers that reach each other take each other for down. */
  | 'ring-split'
  /** Servers have refused this slave. */
  | 'refused'
  /** The role in K2HR3 is not read. */
  | 'role-unread'
  /** This VM has no place in the network of the ring, or not the routes for it. */
  | 'network'
  /** This node has waited for the same for long, on its way to what it should be. */
  | 'waits'
  /** Trove was not told something. */
  | 'not-reported'
  /** Nothing that is sent to this guest arrives. */
  | 'unreachable';

/** One thing that is wrong at this moment; it concerns somebody when it lasts. */
export interface Finding {
  kind: ConcernKind;
  /** The server, or `ring`. */
  subject: string;
  /** One line for a person: what is wrong, and what to do. */
  text: string;
  /** So long it can be normal, in milliseconds. */
  patienceMs: number;
}

/** What the watch of a ring looks at. */
export interface Sighting {
  ring: RingStatus;
  role: ExpectedRing;
  /** `serverKey` of those that were UP since this agent started. */
  seenUp: ReadonlySet<string>;
  /** What servers that were asked have answered, or have not. */
  asked: readonly Finding[];
}

/** The times that tell what is normal from what concerns somebody, in milliseconds. */
export interface WatchTimes {
  /** Merges may move data for so long. */
  mergeMs: number;
  /** A server, or a step of a merge, may need so long. */
  startMs: number;
}

/** A server that is restarted is down for up to 2 s. */
const DOWN_MS = 3_000;
/** A k2hdkc that crashed is back within a second, and again half a second later. */
const SUSPENDED_MS = 5_000;
/** The role is read before the ini is published, and a server that leaves is on both sides a while. */
const ROLE_MS = 5_000;

/** What is wrong with the ring at this moment. Pure. */
export function findConcerns(sighting: Sighting, times: WatchTimes): Finding[] {
  const { ring, asked } = sighting;
  const others = ring.servers.filter((node) => !sameServer(node, ring.self));
  return [
    ...others.flatMap((node) => ofServer(node, sighting, times)),
    ...ofMerge(ring, times),
    ...ofRole(sighting, times),
    ...asked,
  ];
}

/** Whether a server of the role has not come yet, and its VM may be starting. */
export function isExpected(
  node: RingNode,
  { role, seenUp }: Pick<Sighting, 'role' | 'seenUp'>,
  startMs: number,
): boolean {
  const isNew = role.ringIsNew && role.ringStableMs < startMs;
  return node.live === 'DOWN' && isNew && role.cuks.has(node.cuk) && !seenUp.has(serverKey(node));
}

function ofServer(node: RingNode, sighting: Sighting, times: WatchTimes): Finding[] {
  const { ring, role } = sighting;
  const { name: subject } = node;
  const mine = role.cuks.size === 0 || role.cuks.has(node.cuk);
  if (node.live === 'DOWN') {
    // Who has left is kept as out and down until the next change.
    if (node.ring === 'SERVICE OUT' && !mine) return [];
    const patienceMs = isExpected(node, sighting, times.startMs) ? times.startMs : DOWN_MS;
    const text = `${subject} is down: unless it was stopped on purpose look at its VM and its agent's log, and delete it in Trove when it is gone for good`;
    return [{ kind: 'server-down', subject, text, patienceMs }];
  }
  if (node.ring === 'SERVICE IN' && node.suspended) {
    const text = `${subject} is in the ring without a k2hdkc: its agent should start it, look at its log`;
    return [{ kind: 'server-suspended', subject, text, patienceMs: SUSPENDED_MS }];
  }
  if (node.ring === 'SERVICE OUT' && mine && !membershipChangeRuns(ring)) {
    const text = `${subject} runs but does not come into the ring (${statusWords(node)}): look at its agent's log`;
    return [{ kind: 'server-out', subject, text, patienceMs: times.startMs }];
  }
  return [];
}

function ofMerge({ servers }: RingStatus, { mergeMs, startMs }: WatchTimes): Finding[] {
  const doing = servers.filter(({ merge }) => merge === 'Doing');
  if (doing.length > 0) {
    const text = `a merge has not ended for ${mergeMs / 1000} s, still Doing: ${names(doing)}; docs/merge.md says what to do when it sticks`;
    return [{ kind: 'merge-long', subject: 'ring', text, patienceMs: mergeMs }];
  }
  const waiting = servers.filter(
    ({ live, operation, merge }) => live === 'UP' && (operation !== 'n/a' || merge !== 'Nothing'),
  );
  if (waiting.length === 0) return [];
  const text = `nobody goes on with a merge for ${startMs / 1000} s: ${waiting.map((node) => `${node.name} ${statusWords(node)}`).join(', ')}; docs/merge.md says what to do when it sticks`;
  return [{ kind: 'merge-waits', subject: 'ring', text, patienceMs: startMs }];
}

function ofRole({ ring, role }: Sighting, { startMs }: WatchTimes): Finding[] {
  if (role.cuks.size === 0) return [];
  const known = new Set(ring.servers.map(({ cuk }) => cuk));
  const missing = [...role.cuks].filter((cuk) => !known.has(cuk));
  const more = ring.servers.filter(
    ({ cuk, ring: place, live }) =>
      !role.cuks.has(cuk) && (place !== 'SERVICE OUT' || live === 'UP'),
  );
  if (missing.length + more.length === 0) return [];
  const parts = [
    missing.length > 0 ? `chmpx lacks the CUK ${missing.join(', ')}` : '',
    more.length > 0 ? `the role lacks ${names(more)}` : '',
  ];
  const differs = parts.filter((part) => part !== '').join(', and ');
  const text = `the ring of this node is not that of the role in K2HR3: ${differs}; restart this node by Trove if chmpx does not read its ini, or delete in Trove what should be gone`;
  return [{ kind: 'role-differs', subject: 'ring', text, patienceMs: Math.min(ROLE_MS, startMs) }];
}

function names(nodes: readonly RingNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
