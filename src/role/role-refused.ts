import { AgentError } from '../base/errors.ts';

/** A role document must not be used. The last good one stays; the next one may be better. */
export class RoleRefusedError extends AgentError {
  /** `why` completes "the role resource is refused: …". */
  constructor(why: string) {
    super(`the role resource is refused: ${why}`, { retryable: true });
  }
}
