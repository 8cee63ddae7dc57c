import { excerpt } from '../base/text.ts';

/** The statuses that keystoneauth follows, with the same method and body; 305 names a proxy. */
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those that stand for good; the others are for one call (RFC 9110, 15.4). */
const PERMANENT = new Set([301, 308]);
/** So many after each other are a circle. */
export const MOST_REDIRECTS = 5;

/** What an answer says about another place. */
export interface Redirect {
  /** `scheme://host:port`. */
  origin: string;
  /** Scheme, host and path, for a person: without a query, a user or a password. */
  place: string;
  /** Where to go on; null when a call with a token must not. */
  url: URL | null;
  /** Later calls may go there by themselves. */
  isPermanent: boolean;
}

/**
 * Where an answer sends its caller; null when it does not. A call that carries a token goes on at the
 * same host only, and never from https to http: an answer does not decide which host gets the token.
 */
export function redirectOf(
  { status, headers }: { status: number; headers: { location?: string | undefined } },
  from: URL,
): Redirect | null {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, from.href)) {
    return null;
  }
  const url = new URL(location, from);
  url.hash = ''; // a place within the answer, which is never sent (RFC 9110, 10.2.2)
  const place = excerpt(`${url.protocol}//${url.host}${url.pathname}`);
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:';
  const isDown = from.protocol === 'https:' && url.protocol !== 'https:';
  const isBare = url.username === '' && url.password === '';
  const mayFollow = isHttp && !isDown && isBare && url.hostname === from.hostname;
  return {
    origin: url.origin,
    place,
    url: mayFollow ? url : null,
    isPermanent: PERMANENT.has(status),
  };
}
