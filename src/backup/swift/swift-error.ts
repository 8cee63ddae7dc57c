import { AgentError } from '../../base/errors.ts';

/** Answers after which the same call can succeed: busy, overloaded, a disk or a quota of requests. */
const PASSING = new Set([408, 409, 425, 429, 498, 499, 500, 502, 503, 504, 507]);

/** What a person can do about an answer (docs/contracts/swift.md, 3.6, 7 and 9). */
const HINTS: Readonly<Record<number, string>> = {
  401: 'the token has expired or is not valid: ask again, with a fresh one',
  403: 'this user may not do so: look at the roles in the project and the container ACLs',
  404: 'there is no such object or container',
  413: 'it is over the largest size or the quota of the account or container',
  422: 'it arrived damaged',
  503: 'unavailable, or its disks are full',
  507: 'its disks are full',
};

/** Swift did not do what it was asked for. */
export class SwiftError extends AgentError {
  /** The HTTP status; null when no complete answer came. */
  readonly status: number | null;

  constructor(
    message: string,
    facts: { status: number | null; retryable: boolean; cause?: unknown },
  ) {
    super(message, facts);
    this.status = facts.status;
  }
}

/**
 * The error for an answer that is not a success. `what` is the call, without its query; `request` is
 * Swift's id of it, by which an operator finds it in Swift's logs; `text` is a plain text answer.
 */
export function refused(
  what: string,
  status: number,
  { request, text }: { request?: string | undefined; text?: string | undefined } = {},
): SwiftError {
  const hint = text || HINTS[status];
  const parts = [`${what}: ${status}`, hint && ` (${hint})`, request && `, request ${request}`];
  // 422: the bytes did not arrive as they were sent; 401 stays until somebody gets a new token.
  const retryable = PASSING.has(status) || status === 422;
  return new SwiftError(parts.filter(Boolean).join(''), { status, retryable });
}

/** The error for a Swift whose certificate will not do: somebody must do something about it. */
export function notTrusted(what: string, problem: string): SwiftError {
  return new SwiftError(`${what}: ${problem}`, { status: null, retryable: false });
}

/** The error for a call without a complete answer: another one can succeed. */
export function unanswered(what: string, why: string, cause?: unknown): SwiftError {
  return new SwiftError(`${what}: ${why}`, { status: null, retryable: true, cause });
}
