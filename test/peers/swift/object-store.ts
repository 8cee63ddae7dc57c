import type { SwiftAccount } from './account.ts';
import type { FaultDoor } from './fault-door.ts';

/** A server of Swift's API to back up to, private and on 127.0.0.1. */
export interface ObjectStore {
  readonly port: number;
  /** The swift_url of a project, as Trove hands it out. */
  url(project?: string): string;
  /** A new token of a project's user. */
  token(project?: string): Promise<string>;
  /** A project's objects, past every fault door. */
  account(project?: string): Promise<SwiftAccount>;
  /** A door in front of it that fails as its own kind does. */
  door(): Promise<FaultDoor>;
  /** From now on there is no room for objects; what is stored can be read and deleted. */
  fill(): Promise<void>;
  /** There is room again. */
  empty(): Promise<void>;
  /** Ends it; nothing is left. */
  stop(): Promise<void>;
}
