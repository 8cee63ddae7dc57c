/**
 * The types of oslo.config, from text. Each function gives undefined for text that is not of its
 * type (docs/contracts/trove.md, 8.2).
 */

/** Whole number, decimal. */
export function toInteger(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Finite number. */
export function toFloat(text: string): number | undefined {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** true, 1, yes, on and false, 0, no, off, in any case. */
export function toBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  return undefined;
}

/** Split at commas; one empty item at the end is dropped, quotes mean nothing. */
export function toList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  return items;
}

/** `key:value,key:value`; a value may hold colons. */
export function toDict(text: string): Record<string, string> | undefined {
  if (text.trim() === '') return {};
  const pairs: [string, string][] = [];
  for (const item of text.split(',')) {
    const at = item.indexOf(':');
    if (at < 0) return undefined;
    pairs.push([item.slice(0, at).trim(), item.slice(at + 1).trim()]);
  }
  return Object.fromEntries(pairs);
}
