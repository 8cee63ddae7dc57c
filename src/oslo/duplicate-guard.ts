/** How many requests are remembered. Python remembers 16, which one burst of casts can push out. */
const REMEMBERED_REQUESTS = 1_024;

/**
 * Remembers which requests came in lately, and when the outcome of each is safe, so that a message
 * that the broker delivers again is not run again.
 */
export class DuplicateGuard {
  /** The oldest first. */
  readonly #outcomes = new Map<string, Promise<void>>();

  /** When the outcome of an earlier delivery of this request is safe; undefined for a new one. */
  earlier(uniqueId: string | undefined): Promise<void> | undefined {
    return uniqueId === undefined ? undefined : this.#outcomes.get(uniqueId);
  }

  /** Remembers a new request; the caller says when its outcome is safe. */
  remember(uniqueId: string | undefined): () => void {
    let becomeSafe: () => void = () => undefined;
    if (uniqueId === undefined) return becomeSafe;
    const safe = new Promise<void>((resolve) => {
      becomeSafe = resolve;
    });
    this.#outcomes.set(uniqueId, safe);
    if (this.#outcomes.size > REMEMBERED_REQUESTS) {
      const [oldest] = this.#outcomes.keys();
      if (oldest !== undefined) this.#outcomes.delete(oldest);
    }
    return becomeSafe;
  }
}
