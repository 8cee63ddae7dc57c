import type { RingNode, RingStatus } from '../status.ts';

/**
 * How far a coordinated merge is, by what chmpxstatus shows (docs/contracts/ring.md, 7.1). From
 * `gathering` to the end the ring is closed to clients.
 *
 *     quiet ──SERVICEIN of joiners, SERVICEOUT of the leaver──▶ gathering
 *     gathering ──SERVICEOUT, SERVICEIN of each server that stays──▶ gathered: all are Pending
 *     gathered ──MERGE──▶ merging: somebody is Doing
 *     merging ──nobody is Doing any more──▶ merged: all are Done ──COMPMERGE──▶ quiet
 *     merging ──somebody is gone, or was started again──▶ mixed ──ABORTMERGE──▶ gathered
 *     merged ──a joiner has gone since the merge began, or it was not seen to begin──▶ ABORTMERGE
 *     gathered ──a leaver that died is Done──▶ ABORTMERGE
 */
export const MERGE_PHASES = [
  'quiet',
  'gathering',
  'gathered',
  'merging',
  'mixed',
  'merged',
] as const;
export type MergePhase = (typeof MERGE_PHASES)[number];

/** How far the merge is that the ring is in. */
export function mergePhase(ring: RingStatus): MergePhase {
  const members = mergingServers(ring);
  const are = (merge: RingNode['merge']): boolean => members.some((node) => node.merge === merge);
  // The others would wait for what one whose programs have ended has to give, and were COMPMERGE given
  // without it, what it has not got would never come to it.
  const isGone = changesPlacement(ring) && ring.servers.some(isAbsent);
  if (are('Doing')) return isGone ? 'mixed' : 'merging';
  if (are('Done')) return are('Pending') || isGone ? 'mixed' : 'merged';
  if (!are('Pending')) return 'quiet';
  return staying(ring).length > 0 ? 'gathering' : 'gathered';
}

/** Servers with a k2hdkc that wait outside the ring. */
export function waitingOutside({ servers }: RingStatus): RingNode[] {
  return servers.filter(
    (node) =>
      node.ring === 'SERVICE OUT' &&
      node.live === 'UP' &&
      node.operation === 'n/a' &&
      node.merge === 'Nothing' &&
      !node.suspended,
  );
}

/** Servers without which no ring is made: they were in it with this one, and are still in the role. */
export function missingMembers(
  status: RingStatus,
  members: ReadonlySet<string>,
  role: ReadonlySet<string>,
): RingNode[] {
  const waiting = waitingOutside(status);
  return status.servers.filter(
    (node) => members.has(node.cuk) && role.has(node.cuk) && !waiting.includes(node),
  );
}

/** Servers that have a place in the ring, are down, and will not come back. */
export function goneServers(
  { servers }: RingStatus,
  role: ReadonlySet<string> | undefined,
): RingNode[] {
  if (!role || role.size === 0) return [];
  return servers.filter(
    ({ ring, live, operation, cuk }) =>
      ring === 'SERVICE IN' && live === 'DOWN' && operation !== 'ADD' && !role.has(cuk),
  );
}

/** Servers without which no change can end: in service, without one of their programs, and not gone. */
export function absentServers(
  status: RingStatus,
  role: ReadonlySet<string> | undefined,
): RingNode[] {
  const gone = goneServers(status, role);
  return status.servers.filter((node) => isAbsent(node) && !gone.includes(node));
}

/** Servers that can take part in a merge: in service, alive, with a k2hdkc. */
export function mergingServers({ servers }: RingStatus): RingNode[] {
  return servers.filter(
    ({ ring, live, suspended }) => ring === 'SERVICE IN' && live === 'UP' && !suspended,
  );
}

/**
 * Servers that must still be made to take part. They do so only when the placement changes: when
 * somebody joins or leaves. A server that comes back to its own place merges alone.
 */
export function staying(ring: RingStatus): RingNode[] {
  if (!changesPlacement(ring)) return [];
  return mergingServers(ring).filter(
    (node) => node.operation === 'n/a' && node.merge === 'Nothing',
  );
}

/** Somebody joins or leaves. */
export function changesPlacement({ servers }: RingStatus): boolean {
  return servers.some(({ operation }) => operation !== 'n/a');
}

/** The joiners of a ring. */
export function joiners({ servers }: RingStatus): RingNode[] {
  return servers.filter(({ operation }) => operation === 'ADD');
}

/** In service, but without one of its programs. */
function isAbsent({ ring, live, suspended, operation }: RingNode): boolean {
  return ring === 'SERVICE IN' && operation !== 'DELETE' && (live === 'DOWN' || suspended);
}

/** SERVICEOUT has come to it and SERVICEIN has not. */
export function isBetween(node: RingNode): boolean {
  return node.ring === 'SERVICE IN' && node.operation === 'DELETE' && node.merge === 'Pending';
}
