import { K2hr3Error } from './k2hr3-error.ts';

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
 * Takes a URL apart without touching its path: the register path of an extdata URL must keep its
 * `%2F`, and the `:` and `/` of a yrn must not become `%3A` and `%2F` (docs/contracts/k2hr3.md, 1.1
 * and 2.1), so the path never goes through a URL parser.
 *
 * @throws K2hr3Error `rejected`; the message does not hold the URL, which may be a secret.
 */
export function parseTarget(url: string): Target {
  const parts = /^(https?:\/\/[^/?#@\s]+)([/?][\x21\x22\x24-\x7e]*)?$/i.exec(url);
  if (!parts?.[1] || !URL.canParse(parts[1])) {
    throw new K2hr3Error('rejected', 'a K2HR3 address must be http://host:port/… or https://…');
  }
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
