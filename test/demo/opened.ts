/** What was opened, to be closed in the opposite order. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Notes how something that is open now is closed; gives it back. */
  add<T>(opened: T, close: (opened: T) => Promise<unknown>): T {
    this.#closers.push(() => close(opened));
    return opened;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }
}
