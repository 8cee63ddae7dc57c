import { excerpt } from '../base/text.ts';

/** Where a call goes. */
export interface Target {
  secure: boolean;
  host: string;
  port: number;
  /** Path and query exactly as written in the URL. */
  path: string;
  /** `scheme://host:port`, which may be shown. */
  origin: string;
}

/**
 * Takes a URL apart without touching its path: a `%2F` of an extdata URL and the `:` of a yrn must
 * stay what they are (docs/contracts/k2hr3.md, 1.1 and 2.1), so the path never goes through a URL
 * parser.
 *
 * @returns null for what is not to be called: another scheme, a user or password before the host, a
 *   fragment, letters that a request line cannot hold.
 */
export function parseTarget(url: string): Target | null {
  const parts = /^(https?:\/\/[^/?#@\\\s]+)([/?][\x21\x22\x24-\x7e]*)?$/i.exec(url);
  if (!parts?.[1] || !URL.canParse(parts[1])) return null;
  const base = new URL(parts[1]);
  const secure = base.protocol === 'https:';
  const rest = parts[2] ?? '/';
  return {
    secure,
    host: base.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
    path: rest.startsWith('/') ? rest : `/${rest}`,
    origin: base.origin,
  };
}

/** Whether calls can be made below this URL: without a user, a query or a fragment. */
export function isBaseUrl(url: string): boolean {
  return parseTarget(url) !== null && !url.includes('?');
}

/** A URL that cannot be called, for an error: what stands before an `@` can be a password. */
export function showable(url: string): string {
  const at = url.lastIndexOf('@');
  return excerpt(at < 0 ? url : `[secret]${url.slice(at)}`);
}
