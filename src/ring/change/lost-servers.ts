import { isServing, type RingNode, type RingStatus } from '../status.ts';
import { absentServers, goneServers, mergePhase } from './merge-phase.ts';

/** What says whether a ring may go on without a server that is down. */
export interface LossRules {
  /** CUKs of the servers that the role has. */
  role?: ReadonlySet<string>;
  /** REPLICA: each key is on so many other servers, too. Default none. */
  replicas?: number;
  /** How long the ring has looked the same, in milliseconds. */
  stillMs: number;
}

/** A chmpx that crashed is back by then, and the ring is closed meanwhile (ms). */
const BACK_MS = 20_000;

/**
 * The servers that a closed ring gives up, although the role has them: MERGE is refused while they are
 * down, and nobody gets an answer. Only when that loses nothing and makes no second ring: each key has
 * another copy (so many are down as REPLICA says at most), and more than half of the ring is there, so
 * that the others cannot do the same on their side of a cut. They join as new ones when they are back.
 */
export function lostServers(ring: RingStatus, rules: LossRules): RingNode[] {
  const { role, replicas = 0, stillMs } = rules;
  const phase = mergePhase(ring);
  const waits = phase === 'gathering' || phase === 'gathered';
  if (!waits || stillMs < BACK_MS || ring.servers.some(isServing)) return [];
  const lost = absentServers(ring, role);
  const members = ring.servers.filter(
    (node) => node.ring === 'SERVICE IN' && node.operation !== 'ADD',
  );
  const there = members.filter(({ live, suspended }) => live === 'UP' && !suspended);
  const down = lost.length + goneServers(ring, role).length;
  const mayGo = down <= replicas && there.length * 2 > members.length;
  return mayGo && lost.every(({ live }) => live === 'DOWN') ? lost : [];
}
