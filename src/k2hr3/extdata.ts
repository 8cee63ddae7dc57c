import { withoutTrailing } from '../base/text.ts';
import { K2hr3Error, refusal, withoutSecrets } from './k2hr3-error.ts';
import { request } from './http.ts';
import type { HttpOptions } from './exchange.ts';

/** Where a role lives; enough for what K2HR3 grants to a member by its address alone. */
export interface RoleAddress {
  /** Base of all API calls, as `http://10.0.0.5:18080`, without a slash at the end. */
  apiUri: string;
  /** Full yrn of the role, as `yrn:yahoo:::tenant:role:cluster/server`. */
  roleName: string;
}

/** What a cluster's extdata URL gives to a VM. */
export interface RoleAccess extends RoleAddress {
  /** yrn of the tenant the role belongs to. */
  tenant: string;
  /** 64 hex digits, valid for ten years and shared by all servers of the cluster: a secret. */
  roleToken: string;
}

/** Gets the access to a role from where the control plane has put it. */
export type GetAccess = (http: HttpOptions, extdataUrl: string) => Promise<RoleAccess>;

/**
 * Fetches the registration script of a cluster and takes the access to its role out of it. The
 * script itself is never run (docs/contracts/k2hr3.md, 2.1). K2HR3 answers this even when the token
 * in it is dead or its backend is down: it proves nothing about either.
 *
 * @throws K2hr3Error; a script that is not one, or lacks a value, is an `invalid-answer`, and one
 *   in which K2HR3 reports an error is `rejected`.
 */
export async function fetchRoleAccess(http: HttpOptions, extdataUrl: string): Promise<RoleAccess> {
  const answer = await request(
    {
      method: 'GET',
      url: extdataUrl,
      // Packed, because the Content-Length of the plain one can be too short
      // (docs/contracts/k2hr3.md, 8.8).
      headers: { 'user-agent': 'extdata_k2hr3_trove', 'accept-encoding': 'gzip' },
    },
    http,
  );
  if (answer.status !== 200) throw refusal('does not give the role of the extdata URL', answer);
  return parseScript(answer.body, answer.origin);
}

const WORD = String.raw`[^\s:/?#%"\\]+`;
const TENANT = new RegExp(`^yrn:[^\\s/?#%"\\\\]*:${WORD}$`);
const ROLE_PATH = new RegExp(`^:role:${WORD}(/${WORD})*$`);

/** Takes the access to a role out of K2HR3's registration script. */
export function parseScript(script: string, origin: string): RoleAccess {
  const from = `the extdata script of K2HR3 at ${origin}`;
  if (!script.startsWith('#!')) {
    throw new K2hr3Error('invalid-answer', `${from} is not a script; is the address right?`);
  }
  const value = (name: string): string => {
    const line = new RegExp(`^[ \\t]*${name}="([^"\\r\\n]*)"[ \\t]*$`, 'm').exec(script);
    if (line?.[1] === undefined) throw new K2hr3Error('invalid-answer', `${from} has no ${name}`);
    return line[1];
  };
  const error = value('K2HR3_ERROR_MSG');
  if (error !== '' && error !== 'null') {
    throw new K2hr3Error('rejected', `${from} reports an error: ${withoutSecrets(error)}`);
  }
  const checked = (name: string, isValid: (text: string) => boolean): string => {
    const text = value(name);
    if (isValid(text)) return text;
    throw new K2hr3Error('invalid-answer', `${from} has a ${name} that cannot be one`);
  };
  const tenant = checked('K2HR3_ROLE_TENANT', (text) => TENANT.test(text));
  return {
    apiUri: withoutTrailing(checked('K2HR3_API_HOST_URI', isApiUri), '/'),
    roleName: checked(
      'K2HR3_ROLE_NAME',
      (text) => text.startsWith(tenant) && ROLE_PATH.test(text.slice(tenant.length)),
    ),
    tenant,
    roleToken: checked('K2HR3_ROLE_TOKEN', (text) => /^[0-9a-f]{64}$/i.test(text)),
  };
}

function isApiUri(text: string): boolean {
  return /^https?:\/\/[^\s?#@\\]+$/.test(text) && URL.canParse(text);
}
