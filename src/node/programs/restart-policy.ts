import { Backoff, type BackoffOptions, type Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';

/** A run of this length without a crash is a good one (ms). */
const GOOD_MINUTE_MS = 60_000;
/** Programs that end so soon after each other crashed together, or one for want of the other (ms). */
const TOGETHER_MS = 500;

/** What a restart policy works with. */
export interface RestartPolicyOptions {
  clock: Clock;
  random: Random;
  backoff: BackoffOptions;
  /** So many crashes without a good minute in between are a crash loop. */
  loopAfter: number;
  log: Logger;
}

/**
 * When the pair of chmpx and k2hdkc may start again after a crash: at once the first time, then
 * after growing pauses; from the start after a good minute.
 */
export class RestartPolicy {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #loopAfter: number;
  readonly #log: Logger;
  #notBefore = 0;
  #servingSince: number | null = null;
  /** Who ended last, and when the crash began that it was a part of. */
  #last: { program: string; at: number } | null = null;
  #crashes = 0;
  #reason = '';

  constructor({ clock, random, backoff, loopAfter, log }: RestartPolicyOptions) {
    this.#clock = clock;
    this.#loopAfter = loopAfter;
    this.#log = log;
    this.#backoff = new Backoff(backoff, random);
  }

  /** Crashes since the last good minute. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Whether it is a crash loop. */
  get loops(): boolean {
    return this.#crashes >= this.#loopAfter;
  }

  /** Why it crashed last, in one line; empty when it did not. */
  get reason(): string {
    return this.#reason;
  }

  /** How long the next start must wait, in milliseconds; 0 when it may be now. */
  get waitMs(): number {
    return Math.max(0, this.#notBefore - this.#clock.monotonic());
  }

  /**
   * One of the programs crashed, could not be started, or hung.
   *
   * @param program the one that ended by itself. The other one's end that follows at once counts as a
   *   part of the same crash.
   */
  crashed(reason: string, program?: string): void {
    const now = this.#clock.monotonic();
    const last = this.#last;
    const isPart =
      program !== undefined &&
      last !== null &&
      last.program !== program &&
      now - last.at <= TOGETHER_MS;
    this.#last = program === undefined ? null : { program, at: isPart ? last.at : now };
    this.#servingSince = null;
    if (isPart) return;
    this.#crashes++;
    this.#reason = reason;
    this.#notBefore = now + this.#backoff.next();
    if (this.#crashes === this.#loopAfter) {
      this.#log.error({ reason, crashes: this.#crashes }, 'a crash loop; tried again all the same');
    }
  }

  /** The next start waits at least so long, in milliseconds. */
  pause(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#clock.monotonic() + ms);
  }

  /** To be told at every look at the node whether it serves. */
  seen(serving: boolean): void {
    const now = this.#clock.monotonic();
    if (!serving) this.#servingSince = null;
    else this.#servingSince ??= now;
    if (this.#servingSince !== null && now - this.#servingSince > GOOD_MINUTE_MS) this.forgive();
  }

  /** Starts over, because the wish has changed. */
  forgive(): void {
    this.#backoff.reset();
    this.#last = null;
    this.#crashes = 0;
    this.#notBefore = 0;
    this.#reason = '';
  }
}
