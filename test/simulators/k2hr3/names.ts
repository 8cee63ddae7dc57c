/** The tenant and path of a role or resource, as `tenant0` and `mycluster/server`. */
export interface Name {
  tenant: string;
  path: string;
}

export type Kind = 'role' | 'resource';

/** The full yrn of a role or resource. */
export function yrn(kind: Kind, { tenant, path }: Name): string {
  return `yrn:yahoo:::${tenant}:${kind}:${path}`;
}

/**
 * Reads the name in a URL path, full yrn or short name, as K2HR3 does: only `decodeURI` is applied
 * and everything is lower-cased, so a yrn with `%3A` is taken for the short name of a role called
 * `yrn%3ayahoo…` (docs/contracts/k2hr3.md, 1.1). A short name gets the tenant of the token.
 */
export function parseName(kind: Kind, text: string, tenant: string | undefined): Name | undefined {
  const path = decode(text).toLowerCase();
  const full = /^yrn:yahoo:::([^:]+):(role|resource):(.+)$/.exec(path);
  if (full?.[1] !== undefined && full[3] !== undefined) {
    return full[2] === kind ? { tenant: full[1], path: full[3] } : undefined;
  }
  return tenant === undefined || path === '' ? undefined : { tenant, path };
}

function decode(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
