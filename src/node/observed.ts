import type { Leave } from '../ring/change/leave.ts';
import type { NeighbourView } from '../ring/neighbours.ts';
import type { RingStatus } from '../ring/status.ts';
import type { GiveIn } from '../ring/watch/give-in.ts';
import type { RoleView } from '../role/role-view.ts';
import type { ProgramView } from './programs/kept-program.ts';
import type { RollView } from './programs/roll-watch.ts';

/**
 * What probes say now: read again before every step. A view of one thing (a program, the role, the other
 * servers, a roll) is whole: it also says for how long whoever looks at that thing has seen it so.
 */
export interface Seen {
  chmpx: ProgramView | null;
  k2hdkc: ProgramView | null;
  /** What chmpxstatus says; null when chmpx does not run or is not ready. */
  status: RingStatus | null;
  /** Why the status cannot be read at all, whatever chmpx does; null when it can. */
  statusProblem: string | null;
  role: RoleView;
  /** The other servers, while chmpx does not run; null: not known (yet). */
  neighbours: NeighbourView | null;
  /** The data volume is where it belongs, or there is none. */
  volumeMounted: boolean;
  /** The ini on disk is the one the role asks for, as far as the programs that run can take it. */
  iniPublished: boolean;
  /** What must start again for the rest of it; null: nothing. */
  roll: RollView | null;
  /** No server that serves has refused the chmpx of this slave; always so on a server. */
  isLetIn: boolean;
  /** Milliseconds of wall clock. */
  now: number;
}

/**
 * What the agent remembers and no probe can say: what it has tried, what came of it, when it may try
 * again, and how long the node as a whole has been as it is.
 */
export interface Memory {
  /** How long the status of this node has been the same, in milliseconds. */
  statusStableMs: number;
  /** How long the statuses of all servers have been the same, in milliseconds. */
  ringStillMs: number;
  /** In [0, 1), drawn again when the ring changes: for ties with agents that see the same. */
  tieJitter: number;
  /** How long a crashed program must still wait for its next start, in milliseconds. */
  restartInMs: number;
  /** Crashes since the last good minute. */
  crashes: number;
  /** They are so many that it is a crash loop. */
  crashLoops: boolean;
  /** Why the last of them happened, in one line. */
  crashReason: string;
  /** Why the last registration in K2HR3, or its end, failed; null when it did not. */
  k2hr3Problem: string | null;
  /** Why the configuration group makes no sense: its extdata-url is another cluster's; null when it does. */
  otherCluster: string | null;
  /** How long a failed call to K2HR3 must still wait, in milliseconds. */
  k2hr3RetryInMs: number;
  /** How long after a registration a role that lacks this node means nothing yet (ms). */
  registrationSettlesInMs: number;
  /** Why this VM has no place in the network of the ring, and how long that has been so (ms). */
  networkProblem: string | null;
  networkProblemMs: number;
  /** Why the data volume could not be mounted; null when that was not tried yet. */
  volumeProblem: string | null;
  /** How long the next try to mount it must still wait, in milliseconds. */
  volumeRetryInMs: number;
  /** For how long chmpx has not read a connection in which something waits (ms); else 0. */
  unreadMs: number;
  /** How far this node is in leaving its ring. */
  leave: Leave;
  /** A cure was sent to this node so long ago (ms); null: none since the programs started. */
  cureSentMs: number | null;
  /** CUKs of the servers that were in the ring with this node when it served last, itself among them. */
  members: ReadonlySet<string>;
  /** A join that was undone must still wait so long (ms). */
  joinRetryInMs: number;
  /** This node is Doing, and does nothing. */
  mergeHangs: boolean;
  /** It hung when a merge was aborted, and has not merged since. */
  mergeHung: boolean;
  /** Both programs should start again so that a split ring comes together; null: it is whole. */
  giveIn: GiveIn | null;
}

/** Everything the plan looks at. */
export interface Observed {
  seen: Seen;
  memory: Memory;
}
