import type { Finding } from '../ring/watch/concerns.ts';

/** A K2HR3 that stalls answers after 19 s, and one that starts again is away for longer (ms). */
const LEAST_MS = 60_000;
/** So many pauses between two reads. */
const PAUSES = 10;

/**
 * What concerns somebody about a role that is not read, whatever the reason.
 *
 * @param unreadMs for how long no document was read
 * @param pauseMs between two reads when all is well
 * @param problem what the last try said; null when it is under way, or none was made
 */
export function unreadRole(unreadMs: number, pauseMs: number, problem: string | null): Finding[] {
  const limitMs = Math.max(LEAST_MS, PAUSES * pauseMs);
  if (unreadMs < limitMs) return [];
  const why = problem ?? 'K2HR3 has given no answer';
  const text = `the role has not been read for ${limitMs / 1000} s, and changes of the cluster do not arrive here: ${why}`;
  return [{ kind: 'role-unread', subject: 'role', text, patienceMs: 0 }];
}
