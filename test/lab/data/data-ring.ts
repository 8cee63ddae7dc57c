import type { KeyTool } from '../../helpers/ring-keys.ts';
import type { RingClient } from './client.ts';

/** A ring of real servers that holds keys, with one way of changing it. */
export interface DataRing {
  /** Runs lines with k2hdkclinetool on a slave of the ring. */
  readonly tool: KeyTool;
  /** One more client on that slave. */
  client(): Promise<RingClient>;
  /** Where the agents' logs are, and the node whose change was the last; null without agents. */
  readonly agents: { directory: string; changing: string } | null;
  /** Makes the ring; resolves when all serve. */
  form(servers: number): Promise<void>;
  /** Adds a server; resolves when it serves, rejects when it does not in time. */
  grow(): Promise<void>;
  /** Takes that server out again. */
  shrink(): Promise<void>;
  /** Kills both programs of the second server, and leaves them so for a while if that can be. */
  crash(): Promise<void>;
  /** Resolves when the second server serves again. */
  rejoin(): Promise<void>;
  close(): Promise<void>;
}

/** How long a change may take until it counts as not completed, in seconds. */
export const CHANGE_TIMEOUT_S = 150;
