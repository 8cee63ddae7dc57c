import { K2hr3Error, refusal } from './k2hr3-error.ts';
import { fetchRoleAccess, parseScript, type RoleAccess } from './extdata.ts';
import { request } from './http.ts';
import type { HttpOptions } from './exchange.ts';

/** Whether a URL is of the user data that cloud-init would include, not of extdata. */
function isUserData(url: string): boolean {
  return /^https?:\/\/[^/]+\/v1\/userdata\//.test(url);
}

/**
 * Fetches the access to a role from either URL that K2HR3 gives for it: `…/v1/extdata/trove/…` or
 * the `…/v1/userdata/…` that a slave's user data includes. The latter is a message of several parts
 * of which one is the same registration script (docs/contracts/k2hr3.md, 1.2 and 6).
 *
 * @throws K2hr3Error as `fetchRoleAccess`.
 */
export async function fetchAccessFromUrl(http: HttpOptions, url: string): Promise<RoleAccess> {
  if (!isUserData(url)) return fetchRoleAccess(http, url);
  const headers = { 'user-agent': 'Cloud-Init/24.1', 'accept-encoding': 'gzip' };
  const answer = await request({ method: 'GET', url, headers }, http);
  if (answer.status !== 200) throw refusal('does not give the user data of the role', answer);
  return parseScript(scriptOf(answer.body, answer.origin), answer.origin);
}

/** The part that is a shell script. */
function scriptOf(message: string, origin: string): string {
  const start = /^#!\/bin\/sh\b/m.exec(message)?.index;
  if (start !== undefined) return message.slice(start);
  throw new K2hr3Error('invalid-answer', `the user data of K2HR3 at ${origin} holds no script`);
}
