/** So much of another's text is quoted in one of ours (characters). */
const MOST_QUOTED = 200;

/**
 * The beginning of a text that somebody else wrote, for one of ours; what is cut off is counted.
 * An error, a reply and a log line must not grow with what was sent to us.
 */
export function excerpt(text: string, most = MOST_QUOTED): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}

/** The text without the letters like this at its end, in a time that grows with the text. */
export function withoutTrailing(text: string, letter: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === letter) end--;
  return text.slice(0, end);
}

/**
 * The text with what a terminal obeys or does not show (ESC, the C1 controls, marks that turn the
 * direction) written out, as `\x1b`. Tabs and ends of lines stay.
 */
export function visible(text: string): string {
  return text.replaceAll(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (letter) => {
    const code = (letter.codePointAt(0) ?? 0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
  });
}

/** The text on one line: what lines there are, trimmed, with `between` in between. */
export function onOneLine(text: string, between = ' '): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(between);
}

/** No text of a document that is shown is longer (characters). */
const LONGEST_SHOWN = 4_000;

/**
 * What JSON.parse gives, with all of its texts as a person may see them: cut, on one line, and with nothing that a
 * terminal obeys. What is shown to a person holds texts of others: a name in the role, a line of a program.
 */
export function shown(value: unknown): unknown {
  if (typeof value === 'string') return onOneLine(visible(excerpt(value, LONGEST_SHOWN)));
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [String(shown(key)), shown(field)]),
  );
}

/** What a text is as JSON; undefined when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
