import { AgentError, messageOf } from '../base/errors.ts';

/**
 * Goes round a list of equals, such as the hosts of transport_url: each round begins behind the
 * one that was opened last, and tries all of them before it fails, so that it takes no back-off to
 * get from a dead one to a living one.
 */
export class Failover<A> {
  readonly #all: readonly A[];
  readonly #onPassedOver: (why: unknown) => void;
  #next: number;

  /**
   * @param first where the first round begins.
   * @param onPassedOver told of each failure in a round that succeeded.
   */
  constructor(all: readonly A[], first: number, onPassedOver: (why: unknown) => void) {
    this.#all = all;
    this.#next = first;
    this.#onPassedOver = onPassedOver;
  }

  /**
   * The first that can be opened. Rejects with the error of the only one, or with one error that
   * tells those of all; also when `signal` aborts.
   */
  async open<T>(open: (one: A) => Promise<T>, signal: AbortSignal): Promise<T> {
    const failures: unknown[] = [];
    for (const [index, one] of this.#round()) {
      try {
        const opened = await open(one);
        this.#next = index + 1;
        failures.forEach(this.#onPassedOver);
        return opened;
      } catch (error) {
        failures.push(error);
        if (signal.aborted) break;
      }
    }
    if (failures.length === 1) throw failures[0];
    throw new AgentError(failures.map(messageOf).join('; '), {
      cause: new AggregateError(failures),
      retryable: true,
    });
  }

  #round(): [number, A][] {
    const entries = [...this.#all.entries()];
    const at = this.#next % entries.length;
    return [...entries.slice(at), ...entries.slice(0, at)];
  }
}
