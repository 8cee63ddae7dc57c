/** So many values of a kind are remembered, the newest ones: a line of the log is searched for each. */
const MOST = { configuration: Infinity, role: 100, job: 100 };

/**
 * What a value belongs to: the configuration of this agent, a role in K2HR3, or one backup or restore. Each kind
 * has its own room, so that the tokens of many backups do not push out that of the role.
 */
export type SecretKind = keyof typeof MOST;

/**
 * Values that must never appear in a log line: role tokens, the extdata URL, passwords, the
 * instance key. They are registered when they become known and cut out of every line, wherever they
 * come from (K2HR3's own 401 text echoes the token: docs/contracts/k2hr3.md, 2.3).
 */
export class Secrets {
  /** Of each kind, the newest last. */
  readonly #values: Record<SecretKind, Set<string>> = {
    configuration: new Set(),
    role: new Set(),
    job: new Set(),
  };
  /** The forms of all, the longest first: a value can hold another one. */
  #forms: string[] = [];

  /** Registers values. Those under six characters are ignored: they would cut up innocent text. */
  add(kind: SecretKind, ...values: (string | null | undefined)[]): void {
    const known = this.#values[kind];
    for (const value of values) {
      if (!value || value.length < 6) continue;
      known.delete(value);
      known.add(value);
    }
    for (const oldest of known) {
      if (known.size <= MOST[kind]) break;
      known.delete(oldest);
    }
    const all = Object.values(this.#values).flatMap((of) => [...of]);
    this.#forms = [...new Set(all.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  }

  /** The text with every registered value replaced by `[secret]`. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#forms) clean = clean.replaceAll(value, '[secret]');
    return clean;
  }

  /** The same for bytes that need not be text: all others stay as they are. */
  scrubBytes(bytes: Buffer): Buffer {
    // One letter a byte, so that nothing is changed by reading it as text.
    const text = bytes.toString('latin1');
    let clean = text;
    for (const value of this.#forms) {
      clean = clean.replaceAll(Buffer.from(value).toString('latin1'), '[secret]');
    }
    return clean === text ? bytes : Buffer.from(clean, 'latin1');
  }
}

/** How a value looks in plain text, in a URL and in JSON. */
function formsOf(value: string): string[] {
  const wellFormed = Buffer.from(value).toString();
  return [value, encodeURIComponent(wellFormed), JSON.stringify(value).slice(1, -1)];
}
