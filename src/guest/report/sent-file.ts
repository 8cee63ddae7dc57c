import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
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
      write(file, String(sent));
    } catch {
      // See above.
    }
    return sent;
  };
}

/** No link is followed: it would lead to a file of somebody else. */
function write(file: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const opened = openSync(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    writeSync(opened, text);
  } finally {
    closeSync(opened);
  }
}

/** The year 2100, in seconds: what is later was never a clock's, and would silence the conductor. */
const LATEST = 4_102_444_800;

function lastSent(file: string): number {
  try {
    const last = Number(readFileSync(file, 'utf8'));
    return last > 0 && last < LATEST ? last : 0;
  } catch {
    return 0; // the first agent on this VM
  }
}
