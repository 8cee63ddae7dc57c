import { AgentError } from '../base/errors.ts';

const RINGS = ['SERVICE IN', 'SERVICE OUT', 'SLAVE'] as const;
const LIVES = ['UP', 'DOWN'] as const;
const OPERATIONS = ['n/a', 'ADD', 'DELETE'] as const;
const MERGES = ['Nothing', 'Pending', 'Doing', 'Done'] as const;

/** What chmpx knows of a node (docs/contracts/chmpx.md, 2.1). */
export interface NodeStatus {
  ring: (typeof RINGS)[number];
  live: (typeof LIVES)[number];
  /** Whether the node is joining or leaving the ring. */
  operation: (typeof OPERATIONS)[number];
  /** How far the node's part of a merge has come. */
  merge: (typeof MERGES)[number];
  /** chmpx lives, but no k2hdkc is attached to it. */
  suspended: boolean;
  /** chmpx's own opinion on whether the bits above go together. */
  safe: boolean;
}

/** A node of the ring with its status. */
export interface RingNode extends NodeStatus {
  /** As chmpx names it: on a real machine the host's own address can replace the NAME of the ini. */
  name: string;
  cuk: string;
  /** CUSTOM_ID_SEED, by which SERVICEOUT names a node. */
  seed: string;
  controlPort: number;
}

/** The ring as one chmpx sees it. */
export interface RingStatus {
  /** Process id of the chmpx that this was read from. */
  chmpxPid: number;
  /** GROUP. */
  group: string;
  self: RingNode;
  /** All servers, this node among them when it is one. */
  servers: RingNode[];
  /** Connected slaves; a server's own clients can show up here as well. */
  slaves: RingNode[];
  /** A merge, a join or a leave goes on somewhere in the ring. */
  operating: boolean;
}

/** `[SERVICE IN][UP][n/a][Nothing][NoSuspend]`, the only state in which a server serves. */
export function isServing(status: NodeStatus): boolean {
  return (
    status.ring === 'SERVICE IN' &&
    status.live === 'UP' &&
    status.operation === 'n/a' &&
    status.merge === 'Nothing' &&
    !status.suspended
  );
}

/** chmpx's own words for a status, for logs. */
export function statusWords(status: NodeStatus): string {
  const { ring, live, operation, merge, suspended } = status;
  return `[${ring}][${live}][${operation}][${merge}][${suspended ? 'Suspend' : 'NoSuspend'}]`;
}

/** Reads `SAFE -> [SERVICE IN][UP][n/a][Nothing][NoSuspend]`. Throws on any other words. */
export function parseNodeStatus(text: string): NodeStatus {
  const form = /^(NOT )?SAFE -> \[([^\]]*)\]\[([^\]]*)\]\[([^\]]*)\]\[([^\]]*)\]\[(No)?Suspend\]$/;
  const words = form.exec(text);
  const ring = RINGS.find((word) => word === words?.[2]);
  const live = LIVES.find((word) => word === words?.[3]);
  const operation = OPERATIONS.find((word) => word === words?.[4]);
  const merge = MERGES.find((word) => word === words?.[5]);
  if (!words || !ring || !live || !operation || !merge) throw unreadable(`status "${text}"`);
  return {
    ring,
    live,
    operation,
    merge,
    suspended: words[6] === undefined,
    safe: words[1] === undefined,
  };
}

/** The fields of one `{ … }` block. */
type Fields = Map<string, string>;

/**
 * Reads what `chmpxstatus -conf F` prints. Rows are taken by the section that they stand in: the
 * block of this node comes first and is repeated among the servers, and slaves are listed under the
 * CUKs of servers too. Throws when it is not such a text, which a chmpx that is just starting can
 * cause.
 */
export function parseRingStatus(text: string): RingStatus {
  const head: Fields = new Map();
  const rows: Record<string, Fields[]> = { self: [], server: [], slave: [] };
  let section: Fields[] | undefined;
  for (const line of text.split('\n')) {
    const opening = /^(self|server|slave) chmpx(?:s \[ \d+ \])? = \{$/.exec(line)?.[1];
    if (opening !== undefined) {
      section = rows[opening];
      if (opening === 'self') section?.push(new Map());
    } else if (/^\S/.test(line)) {
      section = undefined;
      addField(head, line);
    } else if (/^ {2}\[\d+\] = \{$/.test(line)) {
      section?.push(new Map());
    } else {
      const row = section?.at(-1);
      if (row) addField(row, line);
    }
  }
  const [self] = rows['self'] ?? [];
  if (self === undefined) throw unreadable('text without "self chmpx"');
  return {
    chmpxPid: numberOf(head, 'chmpx process id'),
    group: textOf(head, 'chmpx name'),
    operating: textOf(head, 'now operating') === 'yes',
    self: nodeOf(self),
    servers: (rows['server'] ?? []).map(nodeOf),
    slaves: (rows['slave'] ?? []).map(nodeOf),
  };
}

/** `  control port     = 8021`; values can be empty. */
function addField(fields: Fields, line: string): void {
  const at = line.indexOf('=');
  if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
}

function nodeOf(fields: Fields): RingNode {
  return {
    name: textOf(fields, 'hostname'),
    cuk: textOf(fields, 'cuk'),
    seed: textOf(fields, 'custom id seed'),
    controlPort: numberOf(fields, 'control port'),
    ...parseNodeStatus(textOf(fields, 'status')),
  };
}

function textOf(fields: Fields, key: string): string {
  const value = fields.get(key);
  if (value === undefined) throw unreadable(`text without "${key}"`);
  return value;
}

function numberOf(fields: Fields, key: string): number {
  const value = Number.parseInt(textOf(fields, key), 10);
  if (Number.isNaN(value)) throw unreadable(`"${key}" without a number`);
  return value;
}

function unreadable(what: string): AgentError {
  return new AgentError(`chmpxstatus printed a ${what}`, { retryable: true });
}
