import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { LineFile } from '../../host/line-file.ts';
import { SentClock } from '../../trove/sent-clock.ts';

/** Bytes of the file: a time has 17. */
const LARGEST_FILE = 64;
/** A clock that was set back may have been so far ahead (s). What is later would silence the conductor. */
const LONGEST_AHEAD_S = 86_400;

/**
 * A `sent` that strictly increases over restarts of the agent too: the last value is kept in
 * `file`. It is written without a sync, and a disk that is full does not stop heartbeats: only a
 * clock that steps back just then could repeat a value, and the clock passes it again.
 *
 * A kept value is gone on from when it is at most a day ahead of the clock; any other is said once in the
 * log. The conductor takes nothing that is older than the last `sent` it has seen, so that a value of years
 * ahead would end the heartbeats once the file is lost.
 *
 * @returns the next `sent`, in seconds.
 */
export function openSentClock(file: string, clock: Clock, log: Logger): () => number {
  const kept = new LineFile(file, LARGEST_FILE);
  const sentClock = new SentClock(
    clock,
    lastSent(kept, clock, (text) => {
      const what = 'the time of the last message to the conductor is of no use: the clock counts';
      log.warn({ file, text }, what);
    }),
  );
  return () => {
    const sent = sentClock.next();
    kept.replace([String(sent)]);
    return sent;
  };
}

/** In seconds; 0 for the first agent on this VM, and for what `onBad` hears of. */
function lastSent(kept: LineFile, clock: Clock, onBad: (text: string) => void): number {
  const text = kept.read().join('\n').trim();
  if (text === '') return 0;
  const last = Number(text);
  if (last > 0 && last <= clock.wall() / 1000 + LONGEST_AHEAD_S) return last;
  onBad(text);
  return 0;
}
