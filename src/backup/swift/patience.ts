import { Backoff, type BackoffOptions, type Random } from '../../base/backoff.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { SwiftError } from './swift-error.ts';

/** What waiting for a Swift that fails for a while needs. */
export interface PatienceParts {
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  /** Between tries, in milliseconds. */
  pauses?: BackoffOptions | undefined;
}

/** So many failures in a row are no hitch any more; with the pauses between them about 90 s. */
const MOST_FAILURES = 10;
const PAUSES = { first: 250, cap: 15_000 };
/** Swift is left alone for as long as it asks to be, but no longer than this (ms). */
const LONGEST_ASKED_MS = 60_000;

/** Bears failures that can pass, with growing pauses, as long as there is success in between. */
export class Patience {
  readonly #parts: PatienceParts;
  readonly #backoff: Backoff;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.pauses ?? PAUSES, parts.random);
  }

  /** Waits before the next try; throws the failure itself when there is no use in one. */
  async bear(failure: unknown): Promise<void> {
    const { clock, log, signal } = this.#parts;
    const isPassing = failure instanceof AgentError && failure.retryable;
    if (signal.aborted || !isPassing || this.#backoff.failures + 1 >= MOST_FAILURES) throw failure;
    const askedMs = failure instanceof SwiftError ? (failure.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(this.#backoff.next(), Math.min(askedMs, LONGEST_ASKED_MS));
    log.warn({ why: messageOf(failure), pauseMs: Math.round(pauseMs) }, 'trying again');
    await sleep(clock, pauseMs, signal);
    signal.throwIfAborted();
  }

  /** To be called when there is progress. */
  renew(): void {
    this.#backoff.reset();
  }
}

/** Does `work` until it succeeds or its failure is not borne. */
export async function patiently<T>(parts: PatienceParts, work: () => Promise<T>): Promise<T> {
  const patience = new Patience(parts);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await patience.bear(error);
    }
  }
}
