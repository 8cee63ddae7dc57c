import { K2hr3Error, refusal } from './k2hr3-error.ts';
import type { RoleAccess, RoleAddress } from './extdata.ts';
import { request } from './http.ts';
import type { HttpOptions } from './exchange.ts';
import { parseAnswer } from './json-answer.ts';

/** What a VM tells K2HR3 about itself; its address is taken from the connection. */
export interface HostIdentity {
  /** The Nova id of the instance; K2HR3's clean-up after a deleted server goes by it. */
  cuk: string;
  /** The host name, which becomes NAME and CUSTOM_ID_SEED in everybody's ini. */
  tag: string;
}

/** Marks a host as one of OpenStack's; K2HR3's clean-up after a deleted server asks for it. */
export const EXTRA = 'openstack-auto-v1';

/**
 * Registers this VM in the role. Success means only that K2HR3 said so: of three nodes that
 * registered at once one was lost in 31 of 40 runs (docs/contracts/k2hr3.md, 2.7), so the caller
 * verifies with `isMember` and by the resource, and registers again. Not a heartbeat: it removes
 * the host and adds it again (docs/contracts/k2hr3.md, 2.4).
 *
 * @throws K2hr3Error; `rejected` before anything is sent for a cuk or tag that K2HR3 would choke on.
 */
export async function register(
  http: HttpOptions,
  access: RoleAccess,
  { cuk, tag }: HostIdentity,
): Promise<void> {
  checkWord('instance id', cuk, /^[A-Za-z0-9._:-]+$/);
  checkWord('host name', tag, /^[A-Za-z0-9.-]+$/);
  const query = `cuk=${encodeURIComponent(cuk)}&extra=${EXTRA}&tag=${encodeURIComponent(tag)}`;
  const answer = await request(
    {
      method: 'PUT',
      url: `${roleUrl(access)}?${query}`,
      headers: { 'x-auth-token': `R=${access.roleToken}`, 'content-length': '0' },
    },
    http,
  );
  if (answer.status !== 201) throw refusal(`did not register ${tag}`, answer);
  parseAnswer(answer);
}

/**
 * Whether K2HR3 knows the address this VM calls from, with this cuk, as a host of the role. Sent
 * without a token. `false` can also mean that K2HR3's backend is slow
 * (docs/contracts/k2hr3.md, 7.1).
 *
 * @throws K2hr3Error for any other answer than yes or no.
 */
export async function isMember(
  http: HttpOptions,
  role: RoleAddress,
  cuk: string,
): Promise<boolean> {
  return askMembership(http, memberUrl(role, cuk));
}

/**
 * Whether K2HR3 knows any host of the role at the address this VM calls from, whatever its cuk.
 * `false` can also mean that K2HR3's backend is slow.
 *
 * @throws K2hr3Error for any other answer than yes or no.
 */
export function isAddressKnown(http: HttpOptions, role: RoleAddress): Promise<boolean> {
  return askMembership(http, roleUrl(role));
}

async function askMembership(http: HttpOptions, url: string): Promise<boolean> {
  const answer = await request({ method: 'HEAD', url }, http);
  if (answer.status === 204) return true;
  if (answer.status === 403) return false;
  throw refusal('does not say whether this host is registered', answer);
}

/**
 * Takes this VM out of the role. Sent without a token, from the address that was registered: with
 * one, the same call deletes the token that all servers of the cluster share
 * (docs/contracts/k2hr3.md, 2.5). `not-a-member` can also mean that K2HR3's backend is slow: it is
 * only to be believed when `readResourceKey` succeeds right before and right after
 * (docs/contracts/k2hr3.md, 8.7).
 *
 * @throws K2hr3Error for any other answer.
 */
export async function unregister(
  http: HttpOptions,
  role: RoleAddress,
  cuk: string,
): Promise<'unregistered' | 'not-a-member'> {
  const answer = await request({ method: 'DELETE', url: memberUrl(role, cuk) }, http);
  if (answer.status === 204) return 'unregistered';
  if (answer.status === 403) return 'not-a-member';
  throw refusal('did not unregister this host', answer);
}

function roleUrl({ apiUri, roleName }: RoleAddress): string {
  return `${apiUri}/v1/role/${encodeURI(roleName)}`;
}

/** Without its cuk a DELETE would remove every host at this address, so an empty one is refused. */
function memberUrl(role: RoleAddress, cuk: string): string {
  if (cuk === '') throw new K2hr3Error('rejected', 'the instance id of this VM is not known');
  return `${roleUrl(role)}?cuk=${encodeURIComponent(cuk)}`;
}

/**
 * K2HR3 stores raw text into every node's ini, and fails on one that reads as JSON
 * (docs/contracts/k2hr3.md, 2.4).
 */
function checkWord(what: string, word: string, pattern: RegExp): void {
  if (pattern.test(word) && !isJson(word)) return;
  throw new K2hr3Error(
    'rejected',
    `the ${what} ${JSON.stringify(word)} cannot be registered in K2HR3; use letters, digits, '.' and '-'`,
  );
}

function isJson(word: string): boolean {
  try {
    JSON.parse(word);
    return true;
  } catch {
    return false;
  }
}
