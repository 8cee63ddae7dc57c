/** Work that has begun and is not over yet. */
export class InFlight {
  readonly #running = new Set<Promise<unknown>>();

  /** Counts `work` until it settles, and hands it back. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const over = (): void => {
      this.#running.delete(work);
    };
    work.then(over, over);
    return work;
  }

  /** Resolves when nothing is running, counting also what begins meanwhile. Never rejects. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
