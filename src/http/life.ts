import type { Clock } from '../base/clock.ts';
import { NoAnswer } from './no-answer.ts';

/**
 * The life of one exchange. What breaks it (a limit, the caller, the connection) settles at once
 * whatever waits for it, and does not wait for Node.js to say so: after some answers it says nothing.
 */
export class Life {
  readonly #signal: AbortSignal | undefined;
  readonly #waiting = new Set<(broken: NoAnswer) => void>();
  #broken: NoAnswer | null = null;
  #over = false;

  /** @param signal breaks it with its reason. It is not handed to any connection: those live longer. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted) this.#abort();
  }

  readonly #abort = (): void => this.break(this.#signal?.reason);

  /** Ends everything that waits; the first reason counts. */
  break(reason: unknown): void {
    if (this.#broken !== null || this.#over) return;
    this.#broken = noAnswer(reason);
    for (const end of this.#waiting) end(this.#broken);
    this.end();
  }

  /** Nothing can break it any more. */
  end(): void {
    this.#over = true;
    this.#waiting.clear();
    this.#signal?.removeEventListener('abort', this.#abort);
  }

  /** Calls this when it breaks, also when it is broken already. */
  onBreak(end: (broken: NoAnswer) => void): void {
    if (this.#broken !== null) end(this.#broken);
    else this.#waiting.add(end);
  }

  /** Settles like `work`, or rejects when it breaks. Throws NoAnswer, whatever `work` throws. */
  whole<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (reason: unknown): void => {
        this.#waiting.delete(fail);
        reject(noAnswer(reason));
      };
      work.then((result) => {
        this.#waiting.delete(fail);
        resolve(result);
      }, fail);
      this.onBreak(fail);
    });
  }

  /** As `whole`; after `ms` milliseconds without an end of `work` it breaks by `late`. */
  guard<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
    const cancel = clock.after(ms, () => this.break(late()));
    return this.whole(work).finally(cancel);
  }
}

function noAnswer(reason: unknown): NoAnswer {
  return reason instanceof NoAnswer ? reason : new NoAnswer(reason);
}
