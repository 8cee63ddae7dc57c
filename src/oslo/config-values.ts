import { strip } from './python-text.ts';

/**
 * The types of oslo.config, from text. Each function gives undefined for text that is not of its
 * type (docs/contracts/trove.md, 8.2).
 */

/** Whole number, decimal. */
export function toInteger(text: string): number | undefined {
  const trimmed = strip(text);
  if (!/^[+-]?\d+$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** true, 1, yes, on and false, 0, no, off, in any case. */
export function toBoolean(text: string): boolean | undefined {
  const word = strip(text).toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  return undefined;
}
