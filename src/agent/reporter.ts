import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Alarm } from '../base/wait.ts';
import { heartbeat } from '../trove/conductor-messages.ts';
import type { ServiceStatus } from '../trove/statuses.ts';
import type { Outbox } from './outbox.ts';

/** What a reporter works with. */
export interface ReporterOptions {
  instanceId: string;
  outbox: Outbox;
  /** The status as it is now; null before prepare, when nothing is reported. */
  status: () => ServiceStatus | null;
  /** The longest pause between two reports, in milliseconds. */
  intervalMs: number;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** Reports the status to Trove: when it changes, and again before Trove could think us gone. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #alarm = new Alarm();
  #last: ServiceStatus | null = null;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Says the status if it has changed. To be called when the wish or the node has changed. */
  look(): void {
    const status = this.#options.status();
    if (status !== null && status !== this.#last) this.#say(status);
  }

  /**
   * Says the status again soon. After a lost connection: the conductor's queue is not durable, and
   * what it had confirmed may be gone with the broker.
   */
  repeat(): void {
    this.#alarm.ring();
  }

  /** Says the status at least once per interval until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, random, status } = this.#options;
    while (!signal.aborted) {
      const current = status();
      if (current !== null) this.#say(current);
      // All guests of a cloud must not speak at once; the pause is never longer than asked for.
      await this.#alarm.wait(clock, intervalMs * (0.9 + 0.1 * random()), signal);
    }
  }

  #say(status: ServiceStatus): void {
    const { log, outbox, instanceId } = this.#options;
    if (status !== this.#last) log.info({ status }, 'status for Trove');
    this.#last = status;
    outbox.postStatus((sent) => heartbeat(instanceId, status, sent));
  }
}
