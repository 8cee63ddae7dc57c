import type { RingNode, RingStatus } from './status.ts';

/** Whether two rows are of the same server. */
export function sameServer(a: RingNode, b: RingNode): boolean {
  return a.cuk === b.cuk && a.controlPort === b.controlPort;
}

/** Names a server of the ring, as the same text in every view. */
export function serverKey({ cuk, controlPort }: RingNode): string {
  return `${cuk}:${controlPort}`;
}

/** The other servers that hold a part of the data: SERVICE IN and alive. */
export function otherServersIn({ self, servers }: RingStatus): RingNode[] {
  return servers.filter(
    (server) => server.ring === 'SERVICE IN' && server.live === 'UP' && !sameServer(server, self),
  );
}

/**
 * Whether no other server is in the ring. SERVICEOUT on such a node is refused and leaves it in
 * DELETE/Pending forever: it just stops (docs/contracts/ring.md, 3.2).
 */
export function isLastServer(status: RingStatus): boolean {
  return otherServersIn(status).length === 0;
}

/**
 * Whether this node should leave the ring before it stops: it is in, and somebody stays.
 *
 * @param waitsFor CUKs of the servers that count also while they are down: for a node that leaves for
 *   good all of the role, which start again, say, and must get its data.
 */
export function mustLeaveRing(status: RingStatus, waitsFor: ReadonlySet<string>): boolean {
  const { self, servers } = status;
  const isDown = ({ ring, live, cuk }: RingNode): boolean =>
    ring === 'SERVICE IN' && live === 'DOWN' && waitsFor.has(cuk);
  const stays = servers.some((server) => isDown(server) && !sameServer(server, self));
  return self.ring === 'SERVICE IN' && (stays || !isLastServer(status));
}

/** Whether any server joins, leaves or merges; no second change should begin meanwhile. */
export function membershipChangeRuns({ operating, self, servers }: RingStatus): boolean {
  return operating || [self, ...servers].some((node) => isChanging(node));
}

/** Whether all who merged are Done, and it depends on COMPMERGE that the ring goes on. */
export function isUncompleted({ servers }: RingStatus): boolean {
  const are = (merge: RingNode['merge']): boolean => servers.some((node) => node.merge === merge);
  return are('Done') && !are('Doing');
}

function isChanging({ operation, merge }: RingNode): boolean {
  return operation !== 'n/a' || merge !== 'Nothing';
}
