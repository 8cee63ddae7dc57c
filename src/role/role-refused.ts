import { AgentError } from '../base/errors.ts';
import type { Finding } from '../ring/watch/concerns.ts';

/** The next document may be better: so long that is nobody's business (ms). */
const PATIENCE_MS = 5_000;

/** A role document must not be used. The last good one stays; the next one may be better. */
export class RoleRefusedError extends AgentError {
  /** `why` completes "the role resource is refused: …". */
  constructor(why: string) {
    super(`the role resource is refused: ${why}`, { retryable: true });
  }
}

/**
 * What concerns somebody about a role that is refused.
 *
 * @param refusal why the newest one is; null when it is not.
 */
export function refusedRole(refusal: string | null): Finding[] {
  if (refusal === null) return [];
  const text = `${refusal}; the ring stays as it is`;
  return [{ kind: 'role-refused', subject: 'role', text, patienceMs: PATIENCE_MS }];
}
