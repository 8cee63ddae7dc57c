import { AgentError, asError } from '../base/errors.ts';
import type { RoleAccess } from '../k2hr3/extdata.ts';
import type { HttpOptions } from '../k2hr3/exchange.ts';
import { unregister } from '../k2hr3/registration-calls.ts';
import { readResourceKey } from '../k2hr3/resource.ts';
import type { Registration } from './registration.ts';

/**
 * Takes a registration out of K2HR3; `http` must call from the address that it was made from. "Not
 * a member" is also what a slow backend says, so it is believed only between two reads that succeed
 * (docs/contracts/k2hr3.md, 8.7). They are made with the registration's own token or, when that is
 * dead, with the one that `getAccess` gives, if that leads to the same K2HR3.
 *
 * @throws AgentError when it is not to be believed; K2hr3Error.
 */
export async function leaveRole(
  http: HttpOptions,
  registration: Registration,
  getAccess: (() => Promise<RoleAccess>) | undefined,
): Promise<'unregistered' | 'not-a-member'> {
  const proof = await findProof(http, registration, getAccess).catch(asError);
  const outcome = await unregister(http, registration, registration.cuk);
  if (outcome === 'unregistered') return outcome;
  if (!(proof instanceof Error)) {
    await readAny(http, proof);
    return outcome;
  }
  throw new AgentError(
    `K2HR3 says that this host is not in ${registration.roleName}, but it does not read the role either, so it may only be slow: ${proof.message}`,
    { cause: proof, retryable: true },
  );
}

/** An access that K2HR3's backend is seen to answer to. */
async function findProof(
  http: HttpOptions,
  registration: Registration,
  getAccess: (() => Promise<RoleAccess>) | undefined,
): Promise<RoleAccess> {
  try {
    await readAny(http, registration);
    return registration;
  } catch (error) {
    if (getAccess === undefined) throw error;
    const access = await getAccess();
    if (access.apiUri !== registration.apiUri) throw error;
    await readAny(http, access);
    return access;
  }
}

function readAny(http: HttpOptions, access: RoleAccess): Promise<string> {
  return readResourceKey(http, access, 'chmpx-mode');
}
