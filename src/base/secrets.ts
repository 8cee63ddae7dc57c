/** So many values are remembered beside those that are kept. A line is searched for each. */
const MOST_SEEN = 100;

/**
 * Values that must never appear in a log line: role tokens, the extdata URL, passwords, the
 * instance key. They are registered when they become known and cut out of every line, wherever they
 * come from (K2HR3's own 401 text echoes the token: docs/contracts/k2hr3.md, 2.3).
 */
export class Secrets {
  readonly #kept = new Set<string>();
  /** The newest last. */
  readonly #seen = new Set<string>();
  /** The forms of both, the longest first: a value can hold another one. */
  #forms: string[] = [];

  /**
   * Registers values of the configuration, for as long as the agent runs. Values under six characters are
   * ignored: they would cut up innocent text.
   */
  keep(...values: (string | null | undefined)[]): void {
    for (const value of longEnough(values)) this.#kept.add(value);
    this.#index();
  }

  /** Registers values that come and go, as tokens do: the last hundred are remembered. */
  add(...values: (string | null | undefined)[]): void {
    for (const value of longEnough(values)) {
      this.#seen.delete(value);
      this.#seen.add(value);
    }
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MOST_SEEN) break;
      this.#seen.delete(oldest);
    }
    this.#index();
  }

  /** The text with every registered value replaced by `[secret]`. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#forms) clean = clean.replaceAll(value, '[secret]');
    return clean;
  }

  #index(): void {
    const forms = [...this.#kept, ...this.#seen].flatMap(formsOf);
    this.#forms = [...new Set(forms)].sort((a, b) => b.length - a.length);
  }
}

function longEnough(values: (string | null | undefined)[]): string[] {
  return values.filter((value): value is string => (value?.length ?? 0) >= 6);
}

/** How a value looks in plain text, in a URL and in JSON. */
function formsOf(value: string): string[] {
  const wellFormed = Buffer.from(value).toString();
  return [value, encodeURIComponent(wellFormed), JSON.stringify(value).slice(1, -1)];
}
