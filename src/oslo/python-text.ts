/** What str.isspace of Python takes for white space: not what JavaScript does. */
const SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
// One anchored class each: the beginning, and the last character that is none.
const LEADING = new RegExp(`^${SPACE}+`);
const IS_SPACE = new RegExp(`^${SPACE}$`);

/** As str.lstrip of Python. */
export function lstrip(text: string): string {
  return text.replace(LEADING, '');
}

/** As str.rstrip of Python. */
export function rstrip(text: string): string {
  let end = text.length;
  while (end > 0 && IS_SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** As str.strip of Python. */
export function strip(text: string): string {
  return lstrip(rstrip(text));
}

/** As urllib.parse.unquote of Python: what is no percent-encoding stays, what is no UTF-8 becomes U+FFFD. */
export function unquote(text: string): string {
  const parts = text.split(/((?:%[0-9a-f]{2})+)/i);
  return parts
    .map((part, at) =>
      at % 2 === 0 ? part : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(part)),
    )
    .join('');
}

function bytesOf(encoded: string): Uint8Array {
  return Buffer.from(encoded.replaceAll('%', ''), 'hex');
}
