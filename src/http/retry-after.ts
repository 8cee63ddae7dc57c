/**
 * How long a server asks to be left alone (ms), by its Retry-After: seconds or a date (RFC 9110,
 * 10.2.3). Null when it asks for nothing that can be read.
 *
 * @param wallMs now, since the epoch.
 */
export function retryAfterMs(header: string | undefined, wallMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  // Date.parse takes much that is no date of HTTP, such as "-1".
  const at = /^[A-Z][a-z]{2,8}[, ]/.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? null : Math.max(at - wallMs, 0);
}
