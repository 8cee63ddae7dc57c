import type { Backoff } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';

/** Something that can be lost from outside. */
export interface Losable {
  /** Resolves with the reason. Never rejects. */
  readonly lost: Promise<string>;
}

/** What every series of attempts needs. */
export interface Series {
  /** What is kept open, for log lines. */
  what: string;
  /** Aborting it ends the series; whoever aborts it closes what is open. */
  signal: AbortSignal;
  backoff: Backoff;
  clock: Clock;
  log: Logger;
}

interface KeepOpenOptions<T extends Losable> extends Series {
  open: () => Promise<T>;
  /** Uses it until it is lost. */
  use: (thing: T) => Promise<void>;
}

/** What lived this long, in milliseconds, was good: the next loss is the first of a new series. */
const GOOD_RUN_MS = 5_000;

/**
 * Opens something, uses it until it is lost, and opens it again, until the signal aborts:
 *
 *     open ──► use ──lost──► back off ──► open …
 *       └────failed────────────▲
 *
 * A failure that repeats itself is logged once, also when it was open for a moment in between. The
 * series of failures that the back-off looks at begins with the start or with the loss of what was good.
 */
export async function keepOpen<T extends Losable>(options: KeepOpenOptions<T>): Promise<void> {
  const { what, open, use, signal, backoff, clock, log } = options;
  const ended = (): boolean => signal.aborted;
  let lastFailure = '';
  let failingSince = clock.monotonic();
  while (!ended()) {
    try {
      const thing = await open();
      const openedAt = clock.monotonic();
      await use(thing);
      if (clock.monotonic() - openedAt >= GOOD_RUN_MS) {
        backoff.reset();
        lastFailure = '';
        failingSince = clock.monotonic();
      }
      const reason = await thing.lost;
      if (ended()) return;
      log[reason === lastFailure ? 'debug' : 'warn']({ reason }, `${what} lost; opening it again`);
      lastFailure = reason;
    } catch (err) {
      const failure = messageOf(err);
      if (ended()) return;
      log[failure === lastFailure ? 'debug' : 'warn']({ err }, `${what} not open; trying again`);
      lastFailure = failure;
    }
    await sleep(clock, backoff.next(clock.monotonic() - failingSince), signal);
  }
}
