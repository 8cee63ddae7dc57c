import { readFileSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { SentClock } from '../../trove/sent-clock.ts';

/**
 * A `sent` that strictly increases over restarts of the agent too: the last value is kept in
 * `file`. It is written without a sync, and a disk that is full does not stop heartbeats: only a
 * clock that steps back just then could repeat a value, and the clock passes it again.
 *
 * @returns the next `sent`, in seconds.
 */
export function openSentClock(file: string, clock: Clock): () => number {
  const sentClock = new SentClock(clock, lastSent(file));
  return () => {
    const sent = sentClock.next();
    try {
      writeFileSync(file, String(sent), { mode: 0o600 });
    } catch {
      // See above.
    }
    return sent;
  };
}

function lastSent(file: string): number {
  try {
    const last = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(last) ? last : 0;
  } catch {
    return 0; // the first agent on this VM
  }
}
