/**
 * Values that must never appear in a log line: role tokens, the extdata URL, passwords, the
 * instance key. They are registered when they become known and cut out of every line, wherever they
 * come from (K2HR3's own 401 text echoes the token: docs/contracts/k2hr3.md, 2.3).
 */
export class Secrets {
  /** The longest first: a value can hold another one. */
  #values: string[] = [];

  /** Registers a value. Values under six characters are ignored: they would cut up innocent text. */
  add(...values: (string | null | undefined)[]): void {
    const forms = values.flatMap((value) => (value && value.length >= 6 ? formsOf(value) : []));
    this.#values = [...new Set([...this.#values, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** The text with every registered value replaced by `[secret]`. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#values) clean = clean.replaceAll(value, '[secret]');
    return clean;
  }
}

/** How a value looks in plain text, in a URL and in JSON. */
function formsOf(value: string): string[] {
  const wellFormed = Buffer.from(value).toString();
  return [value, encodeURIComponent(wellFormed), JSON.stringify(value).slice(1, -1)];
}
