import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { UnreadableRequestError } from './guest-serializer.ts';

/** The shortest time between two log lines (ms). */
const PAUSE_MS = 60_000;

/**
 * Counts the requests that were refused because they cannot be decrypted, and logs them: the first
 * at once, then how many more came, once a minute at most. Whoever can reach the broker can send any
 * number of them, and a wrong key makes every request one.
 */
export class UnreadableRequests {
  readonly #clock: Clock;
  readonly #log: Logger;
  #inAll = 0;
  #untold = 0;
  #pausing = false;
  #newest = '';

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** One more was refused. */
  note(error: UnreadableRequestError): void {
    this.#inAll++;
    this.#untold++;
    this.#newest = error.message;
    if (!this.#pausing) this.#tell();
  }

  #tell(): void {
    const counts = { refused: this.#untold, inAll: this.#inAll };
    this.#log.warn(counts, `requests are refused: ${this.#newest}`);
    this.#untold = 0;
    this.#pausing = true;
    this.#clock.after(PAUSE_MS, () => {
      this.#pausing = false;
      if (this.#untold > 0) this.#tell();
    });
  }
}
