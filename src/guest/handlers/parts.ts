import type { Logger } from '../../base/log.ts';
import type { ClusterNode } from '../../node/cluster-node.ts';
import type { CreateBackupParts } from '../create-backup.ts';
import type { DesiredState } from '../../node/desired-state.ts';
import type { GuestLogs } from '../logs/guest-logs.ts';
import type { Markers } from '../markers.ts';
import type { Operations } from '../operations.ts';
import type { PrepareParts } from '../prepare.ts';
import type { Reconciler } from '../../node/reconciler.ts';

/** What the methods of the guest API work with. */
export interface HandlerParts {
  desired: () => DesiredState;
  operations: Operations;
  reconciler: Reconciler;
  node: ClusterNode;
  markers: Markers;
  prepare: PrepareParts;
  backup: CreateBackupParts;
  /** Backups are operations of their own: a long one must not hold up a stop_db. */
  backups: Operations;
  logs: GuestLogs;
  dataDirectory: string;
  bootId: string;
  /** Of this agent. */
  version: string;
  /** Answers come so long before Trove's own time limit (ms). */
  replyMarginMs: number;
  leaveOnSecondClusterComplete: boolean;
  /** A first cluster_complete comes within so long after prepare began (ms). */
  firstCompleteWithinMs: number;
  rejoinAfterMs: number;
  wallClock: () => number;
  log: Logger;
}
