import type { Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { Alarm } from '../../base/wait.ts';
import { heartbeat } from '../../trove/conductor-messages.ts';
import type { ServiceStatus } from '../../trove/statuses.ts';
import type { Outbox } from './outbox.ts';

/** What a reporter works with. */
export interface ReporterOptions {
  instanceId: string;
  outbox: Outbox;
  /** The status as it is now; null before prepare, when nothing is reported. */
  status: () => ServiceStatus | null;
  /** The longest pause between two reports, in milliseconds. */
  intervalMs: number;
  /** A change is said once more after this time, in milliseconds. */
  repeatMs: number;
  /** After a start, a change and the end of an operation pauses are shorter, for so long (ms). */
  closely: { intervalMs: number; forMs: number };
  clock: Clock;
  random: Random;
  log: Logger;
}

/**
 * Reports the status to Trove: when it changes, and again before Trove could think us gone.
 *
 * A change is said twice. The conductor handles casts at the same time and without a lock: of two
 * statuses that it takes within milliseconds the older one can win, and of the first ones of an
 * instance one can be lost (measured on Trove 18, although both were confirmed). And Trove writes statuses
 * of its own while it works on an instance (RESTARTING, PAUSED, UNKNOWN), which last until the next of ours.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #alarm = new Alarm();
  #last: ServiceStatus | null = null;
  /** When the status is said next, if nothing changes before (monotonic ms). */
  #nextAt = 0;
  /** What is said next is said once more soon. */
  #isNews = false;
  /** Pauses are shorter until then (monotonic ms). */
  #closelyUntil: number;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#closelyUntil = options.clock.monotonic() + options.closely.forMs;
  }

  /** Says the status if it has changed. To be called when the wish or the node has changed. */
  look(): void {
    const status = this.#options.status();
    if (status === null || status === this.#last) return;
    this.#say(status);
    this.#alarm.ring();
  }

  /**
   * Says the status again now. After a lost connection: the conductor's queue is not durable, and
   * what it had confirmed may be gone with the broker.
   */
  repeat(): void {
    this.#nextAt = 0;
    this.#alarm.ring();
  }

  /** An operation of Trove's has ended, and Trove may have written a status of its own meanwhile. */
  operationEnded(): void {
    this.#isNews = true;
    this.repeat();
  }

  /** Says the status at least once per interval until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, status } = this.#options;
    while (!signal.aborted) {
      const current = status();
      const pause = this.#nextAt - clock.monotonic();
      if (current !== null && pause <= 0) this.#say(current);
      else await this.#alarm.wait(clock, pause > 0 ? pause : intervalMs, signal);
    }
  }

  #say(status: ServiceStatus): void {
    const { log, outbox, instanceId, clock, repeatMs, intervalMs, closely, random } = this.#options;
    const changed = status !== this.#last;
    const isNews = changed || this.#isNews;
    if (changed) log.info({ status }, 'status for Trove');
    this.#last = status;
    this.#isNews = false;
    const now = clock.monotonic();
    if (isNews) this.#closelyUntil = now + closely.forMs;
    const pauseMs =
      now < this.#closelyUntil ? Math.min(closely.intervalMs, intervalMs) : intervalMs;
    // All guests of a cloud must not speak at once; the pause is never longer than asked for.
    this.#nextAt = now + (isNews ? repeatMs : pauseMs * (0.9 + 0.1 * random()));
    outbox.postStatus(heartbeat(instanceId, status));
  }
}
