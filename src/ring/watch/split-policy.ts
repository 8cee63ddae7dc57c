import type { RingNode, RingStatus } from '../status.ts';
import type { GiveIn } from './give-in.ts';

/** What a look at a settled ring shows. */
export interface SplitLook {
  /** The ring as this node sees it. */
  ring: RingStatus;
  /** The servers of the role, without this node. */
  others: readonly RingNode[];
  /** Those of them that this node sees as down. */
  lost: readonly RingNode[];
  /** Those of the lost ones that have listened on their control port for long enough. */
  back: readonly RingNode[];
  /** How a server that was asked for another reason sees the ring; empty when none was. */
  heard: readonly RingNode[];
  /** The last verdict was that the ring is split. */
  wasSplit: boolean;
  /** Asks servers how they see the ring: those that answer, by `serverKey`. */
  ask: (servers: readonly RingNode[]) => Promise<Map<string, readonly RingNode[]>>;
}

/** A ring that is split although its servers reach each other. */
export interface Split {
  /**
   * One line for a person: what is wrong, and what becomes of it.
   *
   * @param tries how often this node has given in without any success.
   */
  text: (tries: number) => string;
  /** What this node should do about it; null: others should. */
  giveIn: GiveIn | null;
}

/** What follows from a look. */
export interface SplitVerdict {
  split: Split | null;
  /** All is well, and not only not known to be wrong. */
  isWhole: boolean;
}

/** For how long what is wrong must have been so (ms). */
export interface SplitPatience {
  /** A lost server listens: then it may be asked. */
  listenMs: number;
  /** The verdict is that this node gives in: then it does. */
  verdictMs: number;
}

/** What distinguishes a server from a slave when the ring is split. */
export interface SplitPolicy {
  /** How the time before this node gives in, in milliseconds, is divided. */
  patience: (giveInMs: number) => SplitPatience;
  /** A split is normal for so long (ms). */
  normalMs: number;
  /** Asks whom it needs, and judges; null: no verdict now, the last one stays. */
  judge: (look: SplitLook) => Promise<SplitVerdict | null>;
}
