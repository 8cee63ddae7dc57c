import type { RingNode } from '../status.ts';

/** What a leader gives to control ports. */
export type MergeCommand = 'SERVICEIN' | 'SERVICEOUT' | 'MERGE' | 'COMPMERGE' | 'ABORTMERGE';

/** One command for the control port of one server. */
export interface Order {
  command: MergeCommand;
  /** Whose control port gets it. */
  at: RingNode;
  /** Whom SERVICEOUT names; default the one that gets it. */
  names?: RingNode;
}
