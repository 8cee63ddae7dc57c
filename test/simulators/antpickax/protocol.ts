import type { Range } from './placement.ts';
import type { Status } from './status.ts';

/**
 * A key with its value, both in hex, and when it was written, nanoseconds since the epoch. Without
 * a value it is removed.
 */
export type Entry = [key: string, value: string | null, written: string];

/** What a chmpx, a k2hdkc or a tool asks another. Keys and values are in hex. */
export type Question =
  | { kind: 'get'; key: string }
  | { kind: 'set'; key: string; value: string }
  | { kind: 'remove'; key: string }
  | { kind: 'pull'; range: Range }
  | { kind: 'take'; entries: Entry[] }
  | { kind: 'serviceOut' };

/**
 * What comes back: the entry that was read or written, if there is one, or all that were pulled;
 * the text of a command. `failed` is what a client sees as a result without a type.
 */
export type Answer = { entries: Entry[] } | { text: string } | { failed: true };

/** What all servers of a ring are told to do. */
export type Order =
  | { name: 'merge' | 'complete' | 'abort' | 'suspend' | 'resume' }
  /** A server that is in service goes out of it (seen when several start at once). */
  | { name: 'fallBack'; node: string }
  /** A server is not reached any more, or is up again. */
  | { name: 'lost' | 'found'; node: string }
  /** A server that is down gets this status. */
  | { name: 'dead'; node: string; status: Status };

/** How a chmpx introduces itself to another. */
export interface Hello {
  kind: 'hello';
  group: string;
  /** See `nodeId`. */
  node: string;
  name: string;
  ctlport: number;
  cuk: string;
  seed: string;
  status: Status;
  /** What it has seen last of the one it talks to. */
  seen?: Status | undefined;
  /** Servers that are down and yet have their place in the ring. */
  missing: [node: string, status: Status][];
}

/** What is said without waiting for an answer. */
export type Notice =
  | Hello
  | { kind: 'refused' }
  | { kind: 'state'; status: Status }
  | { kind: 'order'; order: Order }
  | { kind: 'k2hdkc'; pid: number; rejoins: number; neverGivesUp: boolean };
