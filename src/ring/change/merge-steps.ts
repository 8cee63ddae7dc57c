import { isLastServer, sameServer, serverKey } from '../ring.ts';
import type { RingNode, RingStatus } from '../status.ts';
import type { Order } from './merge-order.ts';
import {
  absentServers,
  changesPlacement,
  goneServers,
  isBetween,
  joiners,
  mergePhase,
  mergingServers,
  staying,
  waitingOutside,
  type MergePhase,
} from './merge-phase.ts';

/** What a coordinated merge is for. `finish` ends what another has begun, or a server's return. */
export type MergeGoal = 'join' | 'leave' | 'finish';

/** What a leader does next: orders, to be given side by side; none: wait. */
export interface MergeStep {
  phase: MergePhase;
  orders: Order[];
  /** The goal is reached. */
  over: boolean;
  /** Who is waited for, and why; empty when nobody is. */
  waits: string;
}

/** Who leads, and whom it has made take part. */
export interface MergeLead {
  goal: MergeGoal;
  /** `serverKey` of the servers that stay and were sent SERVICEOUT by this leader. */
  included: ReadonlySet<string>;
  /** How many merges were aborted because they hung. */
  aborted: number;
  /** `serverKey` of those that joined when the merge began; null: this leader has not seen that. */
  joiners: ReadonlySet<string> | null;
  /** It has given the MERGE that servers are Doing or Done of. */
  gaveMerge: boolean;
  /** How long the ring has looked the same, in milliseconds. */
  stillMs: number;
  /** How long the giving up may still take, in milliseconds. */
  leftMs?: number;
  /** CUKs of the servers that the role has; one that is down and not among them is taken out. */
  role?: ReadonlySet<string>;
}

/** What another leader, or a server's own cure, passes through does not last so long (ms). */
const LEADER_PASSING_MS = 2_500;

/** A server that has left and stops is outside with its k2hdkc for about 1 s (ms). */
const LEAVER_PASSING_MS = 2_000;

/** chmpx can carry out a COMPMERGE 5 s after it was given, each server at its own time (ms). */
const COMPLETING_MS = 6_000;
/** Another leader, who knows more, can wait for MERGE's answer (7 s), and then for that (ms). */
const OTHERS_COMPLETING_MS = 14_000;

/** The next step of a leader. Pure: the ring as chmpxstatus shows it decides, and what it has done. */
export function nextMergeStep(ring: RingStatus, lead: MergeLead): MergeStep {
  const { goal, included, aborted } = lead;
  const phase = mergePhase(ring);
  const own = ring.self;
  const step = (orders: Order[], over = false): MergeStep => ({ phase, orders, over, waits: '' });
  const waitFor = (nodes: RingNode[], why: string): MergeStep => ({
    ...step([]),
    waits: `${nodes.map(({ name }) => name).join(', ')} ${why}`,
  });
  switch (phase) {
    case 'merging':
      return step([]);
    case 'mixed':
      return step([{ command: 'ABORTMERGE', at: own }]);
    case 'merged':
      return step(ending(ring, lead));
    case 'quiet':
    case 'gathering':
    case 'gathered':
  }
  // MERGE is refused while a server of the ring is down; its agent starts it again.
  const absent = absentServers(ring, lead.role);
  const isDown = 'is down: it must be back, or out of the role';
  if (phase === 'quiet' && absent.length > 0) {
    return goal === 'finish' ? step([], true) : waitFor(absent, isDown);
  }
  const passing = goal === 'join' && phase === 'quiet' ? mayPass(ring, lead.stillMs) : [];
  if (passing.length > 0) return waitFor(passing, 'is outside only now');
  const begin = [...beginning(ring, goal), ...evictions(ring, lead.role)];
  if (begin.length > 0) return step(begin);
  const back = ring.servers.filter(
    (node) =>
      isBetween(node) &&
      included.has(serverKey(node)) &&
      !(goal === 'leave' && sameServer(node, own)),
  );
  const gather = [
    ...back.map((at): Order => ({ command: 'SERVICEIN', at })),
    ...staying(ring).map((at): Order => ({ command: 'SERVICEOUT', at })),
  ];
  if (gather.length > 0) return step(gather);
  if (phase === 'quiet') return step([], true);
  if (absent.length > 0) return waitFor(absent, isDown);
  // A leaver that died in a merge stays Done, and no MERGE is taken while anybody is.
  const isBlocked = ring.servers.some(({ live, merge }) => live === 'DOWN' && merge === 'Done');
  if (isBlocked) {
    return step(lead.stillMs < LEADER_PASSING_MS ? [] : [{ command: 'ABORTMERGE', at: own }]);
  }
  // Another leader may have taken them out only to take them in again.
  const leavers = ring.servers.filter(
    (node) => isBetween(node) && node.live === 'UP' && !(goal === 'leave' && sameServer(node, own)),
  );
  if (leavers.length > 0 && lead.stillMs < LEADER_PASSING_MS) return step([]);
  // Another server begins the next try: who hung in one order of requests does so in it again.
  const members = mergingServers(ring);
  const first = members.findIndex((node) => sameServer(node, own));
  const at = members[(Math.max(0, first) + aborted) % members.length] ?? own;
  return step([{ command: 'MERGE', at }]);
}

/** What follows when all are Done: COMPMERGE, if they have all that they must answer for then. */
function ending(ring: RingStatus, lead: MergeLead): Order[] {
  const { joiners, gaveMerge, stillMs, leftMs = Infinity } = lead;
  if (!mayLackData(ring, joiners)) {
    // A second COMPMERGE can come late, and end the next merge.
    const isOthers = !gaveMerge && stillMs < LEADER_PASSING_MS;
    return isOthers ? [] : [{ command: 'COMPMERGE', at: ring.self }];
  }
  // Another leader may know better, and completes it; a COMPMERGE may be on its way.
  const limitMs = joiners === null ? OTHERS_COMPLETING_MS : COMPLETING_MS;
  const mayWait = stillMs < limitMs && limitMs - stillMs < leftMs;
  return mayWait ? [] : [{ command: 'ABORTMERGE', at: ring.self }];
}

/**
 * How a leader gives a change up that was begun: back to Pending, the joiner or leaver out of it,
 * and then `finish` opens the ring as it was. A merge that is Done by then is completed.
 */
export function undoStep(ring: RingStatus, lead: MergeLead): MergeStep {
  const phase = mergePhase(ring);
  const { self } = ring;
  const { goal } = lead;
  const step = (...orders: Order[]): MergeStep => ({ phase, orders, over: false, waits: '' });
  if (phase === 'merged') return step(...ending(ring, lead));
  if (phase === 'merging' || phase === 'mixed') return step({ command: 'ABORTMERGE', at: self });
  if (goal === 'join' && self.operation === 'ADD') return step({ command: 'SERVICEOUT', at: self });
  if (goal === 'leave' && self.operation === 'DELETE') {
    return step({ command: 'SERVICEIN', at: self });
  }
  return { ...step(), over: true };
}

/** Whether the joiner is in, or the leaver out, in a ring in which nobody changes any more. */
export function goalReached(ring: RingStatus, goal: MergeGoal): boolean {
  if (mergePhase(ring) !== 'quiet') return false;
  const { ring: is, operation } = ring.self;
  if (goal === 'finish') return true;
  return operation === 'n/a' && is === (goal === 'join' ? 'SERVICE IN' : 'SERVICE OUT');
}

/**
 * Servers outside, beside the joiner, whose programs may be about to stop: for about a second, a server
 * that has just left looks like one that wants to join.
 */
function mayPass(ring: RingStatus, stillMs: number): RingNode[] {
  const isNew = ring.servers.every((node) => node.ring !== 'SERVICE IN');
  if (isNew || stillMs >= LEAVER_PASSING_MS) return [];
  return waitingOutside(ring).filter((node) => !sameServer(node, ring.self));
}

function beginning(ring: RingStatus, goal: MergeGoal): Order[] {
  const { self } = ring;
  if (goal === 'join') {
    // Who waits is taken along: one closing of the ring instead of several.
    return waitingOutside(ring).map((at) => ({ command: 'SERVICEIN', at }));
  }
  // The last server never gets SERVICEOUT: it would stay DELETE.
  const leaves = self.ring === 'SERVICE IN' && self.operation !== 'DELETE' && !isLastServer(ring);
  return goal === 'leave' && leaves ? [{ command: 'SERVICEOUT', at: self }] : [];
}

/** A server that is down and no longer in the role keeps its place, and MERGE is refused. */
function evictions(ring: RingStatus, role: ReadonlySet<string> | undefined): Order[] {
  return goneServers(ring, role)
    .filter(({ operation }) => operation === 'n/a')
    .map((names) => ({ command: 'SERVICEOUT', at: ring.self, names }));
}

/**
 * Whether servers that are Done may have been so for another placement than there would be: a joiner
 * that is gone is out at once; and a merge that was begun for the return of one can catch a change that
 * has just begun, in which the others do not take part.
 */
function mayLackData(ring: RingStatus, begun: MergeLead['joiners']): boolean {
  if (!changesPlacement(ring)) return false; // it is what it was before
  if (begun === null || staying(ring).length > 0) return true;
  const are = new Set(joiners(ring).map(serverKey));
  return [...begun].some((key) => !are.has(key));
}
