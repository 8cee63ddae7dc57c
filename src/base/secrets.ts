/**
 * Values that must never appear in a log line: role tokens, the extdata URL, passwords, the
 * instance key. They are registered when they become known and cut out of every line, wherever
 * they come from (K2HR3's own 401 text echoes the token: contracts/k2hr3.md section 2.3).
 */
export class Secrets {
  readonly #values = new Set<string>();

  /** Registers a value. Values under six characters are ignored: they would cut up innocent text. */
  add(...values: (string | null | undefined)[]): void {
    for (const value of values) {
      if (!value || value.length < 6) continue;
      this.#values.add(value);
      this.#values.add(encodeURIComponent(value));
      this.#values.add(JSON.stringify(value).slice(1, -1));
    }
  }

  /** The text with every registered value replaced by `[secret]`. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#values) clean = clean.replaceAll(value, '[secret]');
    return clean;
  }
}
