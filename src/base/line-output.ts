import type { Writable } from 'node:stream';

/** No more waits for a reader that is slow or hangs (bytes): what comes then is lost. */
const MOST_WAITING = 1024 ** 2;

/**
 * Writes lines to a stream whose reader may be slow, hang or go away. A line that nobody takes is lost
 * and counted; writing goes on, and ends nothing. It works with the standard streams of Node.js, which
 * can be written to after an error (EPIPE, ENOSPC, EIO) and never close their descriptor.
 */
export class LineOutput {
  /**
   * Called with the count of lost lines as soon as one is taken again. It may write a line that says so.
   */
  onTakenAgain: (lost: number) => void = () => undefined;
  readonly #stream: Writable;
  #lost = 0;
  /** What the line that is being written says was lost: it is lost with that line. */
  #told = 0;

  /** @param stream has a listener to its errors: without one an error would end this process. */
  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Writes one line, newline included. Never throws. */
  write(line: string): void {
    const stands = this.#told > 0 ? this.#told : 1;
    if (this.#stream.writableLength > MOST_WAITING) {
      this.#lost += stands;
      return;
    }
    this.#stream.write(line, (error) => {
      if (error) this.#lost += stands;
      else this.#tell();
    });
  }

  #tell(): void {
    if (this.#lost === 0) return;
    this.#told = this.#lost;
    this.#lost = 0;
    this.onTakenAgain(this.#told);
    this.#told = 0;
  }
}

/** Resolves when what was written to a stream is out, or when nobody takes it any more. */
export function written(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}
