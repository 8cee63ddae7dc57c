/**
 * How servers name a call without TLS to a port that speaks it: nginx (as 400, or its own 497), Apache, Go's
 * net/http, Tomcat. Seen of nginx 1.22 and Apache 2.4.71 of Debian 12; the others' as public reports
 * quote them.
 */
const NAMED =
  /plain HTTP request was sent to HTTPS port|plain HTTP to an SSL-enabled server port|HTTP request to an HTTPS server|host and port requires TLS/i;
const STATUSES = new Set([400, 497]);

/**
 * What is wrong when a call went without TLS to a port that speaks it, by its answer; null for any other
 * answer. An answer to HEAD has no text, and leaves it open.
 */
export function plainToTls(
  url: URL,
  { status, text }: { status: number; text: string },
): string | null {
  if (url.protocol !== 'http:' || !STATUSES.has(status)) return null;
  if (text === '') return MAYBE_TLS;
  return NAMED.test(text) ? 'that port speaks TLS: its URL should begin with https:' : null;
}

/** For a port that does not say what it wants. */
export const MAYBE_TLS = 'if that port speaks TLS, its URL should begin with https:';
