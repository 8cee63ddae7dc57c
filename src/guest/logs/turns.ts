/** Does work of the same name one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Settles as `work`, which begins when all work of this name before it is over. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work);
    this.#last.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  }
}
