/** Of a delivery, and of basic.consume. */
const OFFSET = 'x-stream-offset';

/**
 * Where the consumer of a stream goes on, over channels and connections: behind what was delivered last.
 * Before the first delivery, and after the stream was deleted, it begins with the last chunk that is
 * there, as oslo.messaging does.
 */
export class StreamOffset {
  #next: number | 'last' = 'last';

  /** What basic.consume is given. */
  get arguments(): Readonly<Record<string, number | string>> {
    return { [OFFSET]: this.#next };
  }

  /** A message with these headers was delivered. */
  note(headers: Readonly<Record<string, unknown>> | undefined): void {
    const offset = headers?.[OFFSET];
    if (typeof offset === 'number') this.#next = offset + 1;
  }

  /** The stream is gone: another one of its name begins with 0. */
  reset(): void {
    this.#next = 'last';
  }
}
