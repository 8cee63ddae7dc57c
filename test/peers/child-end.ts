import type { ChildProcess } from 'node:child_process';
import { awaitedLater } from '../helpers/awaited-later.ts';

/** How a process ended. */
export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * The end of a child, which may be awaited at any time or never. Rejects when the child could not be
 * started.
 */
export function endOf(child: ChildProcess): Promise<ChildEnd> {
  const { exitCode: code, signalCode: signal } = child;
  if (code !== null || signal !== null) return Promise.resolve({ code, signal });
  return awaitedLater(
    new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', reject);
    }),
  );
}

/**
 * What is asked of a child. When it ends by itself, all that waits is rejected with what it said last,
 * and so is the `stop` of the child: a test fails with that text whether it waited or not.
 */
export class Asked {
  readonly #waiting = new Set<(error: Error) => void>();
  #error: Error | undefined;
  #isStopped = false;

  /** What the child is to do; may be awaited later. Rejects when it ends first, or has ended. */
  promise<T>(
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return awaitedLater(
      new Promise<T>((resolve, reject) => {
        if (this.#error) {
          reject(this.#error);
          return;
        }
        this.#waiting.add(reject);
        const settled = (): boolean => this.#waiting.delete(reject);
        start(
          (value) => {
            settled();
            resolve(value);
          },
          (error) => {
            settled();
            reject(error);
          },
        );
      }),
    );
  }

  /** The child has ended. */
  end(error: Error): void {
    this.#error ??= error;
    for (const reject of this.#waiting) reject(this.#error);
    this.#waiting.clear();
  }

  /** Ends the child by `stop`, once. Rejects when it had ended by itself before. */
  async stop(stop: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const before = this.#error;
    await stop();
    if (before) throw before;
  }
}
