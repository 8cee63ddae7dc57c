/** A source of numbers in [0, 1), as Math.random. */
export type Random = () => number;

/** How the delays of a series of retries grow. Times in milliseconds. */
export interface BackoffOptions {
  /** Delay before the first retry; 0 retries at once. */
  first: number;
  /** Delay before the second retry when the first one is 0. Default `first`. */
  second?: number;
  /** What each delay is multiplied with. Default 2. */
  factor?: number;
  /** No delay is longer than this. */
  cap: number;
  /** What takes the place of `cap` when a series of failures has lasted for `after`. */
  later?: { after: number; cap: number };
  /** Each delay is moved by up to this fraction, up or down. Default 0.2. */
  jitter?: number;
}

/** Delays that grow with every failure and start over after a success. */
export class Backoff {
  readonly #options: Required<Omit<BackoffOptions, 'later'>> & Pick<BackoffOptions, 'later'>;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = { factor: 2, jitter: 0.2, second: options.first, ...options };
    this.#random = random;
  }

  /** How many delays were handed out since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * The delay before the next try, in milliseconds.
   *
   * @param failingFor how long the series of failures has lasted, in milliseconds; only `later`
   *   goes by it.
   */
  next(failingFor = 0): number {
    const { first, second, factor, later, jitter } = this.#options;
    const cap = later && failingFor >= later.after ? later.cap : this.#options.cap;
    const n = this.#failures++;
    const plain = n === 0 ? first : Math.min(cap, second * factor ** (first === 0 ? n - 1 : n));
    return plain * (1 + jitter * (2 * this.#random() - 1));
  }

  /** To be called after a success. */
  reset(): void {
    this.#failures = 0;
  }
}
