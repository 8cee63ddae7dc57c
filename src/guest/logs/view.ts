import type { GuestLogView } from '../../trove/guest-log-view.ts';
import type { GuestLog } from './guest-log.ts';
import type { LogSource, Position } from './log-source.ts';
import { logPrefix, metafileName, timeOfObject } from './object-names.ts';
import type { Published } from './published.ts';

/** More is not counted, however long a log is (bytes). */
const MOST_PENDING = 64 * 1024 ** 2;

/** What a view is made from. */
export interface ViewParts {
  log: GuestLog;
  instanceId: string;
  enabled: boolean;
  published: Published;
  /** Bytes; null when the log cannot be read. */
  pending: number | null;
  /** Swift removes an object after so long. */
  expirySeconds: number;
  /** Since the epoch. */
  wallMs: number;
}

/** How Trove shows a log. */
export function viewOf(parts: ViewParts): GuestLogView {
  const { log, instanceId, published, pending } = parts;
  const isThere = isInSwift(parts);
  return {
    name: log.name,
    type: log.type,
    status: statusOf(parts),
    published: published.bytes,
    pending: pending ?? 0,
    container: isThere ? published.container : 'None',
    prefix: isThere ? logPrefix(instanceId, log.name) : 'None',
    metafile: metafileName(instanceId, log.name),
  };
}

/**
 * Counts what is not published.
 *
 * @throws AgentError when the log cannot be read.
 */
export async function pendingOf(
  source: LogSource,
  from: Position | null,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  for await (const line of source.read(from, signal)) {
    bytes += line.source;
    if (bytes >= MOST_PENDING) return MOST_PENDING;
  }
  return bytes;
}

function statusOf({ enabled, published, pending }: ViewParts): GuestLogView['status'] {
  if (!enabled) return 'Disabled';
  if (pending === null) return 'Unavailable';
  if (published.position === null) return pending > 0 ? 'Ready' : 'Enabled';
  return pending > 0 ? 'Partial' : 'Published';
}

/** Trove's client fails on a container without objects, and says what is wrong when none is named. */
function isInSwift({ published, expirySeconds, wallMs }: ViewParts): boolean {
  const { position, lastObject } = published;
  if (position === null || lastObject === null) return false;
  const sentMs = timeOfObject(lastObject);
  return sentMs === null || wallMs < sentMs + expirySeconds * 1000;
}
