import { AgentError } from '../../base/errors.ts';

/** Answers after which the same call can succeed: busy, overloaded, a disk or a quota of requests. */
const PASSING = new Set([408, 409, 425, 429, 498, 499, 500, 502, 503, 504, 507]);

/** What a person can do about an answer (docs/contracts/swift.md, 3.6, 7 and 9). */
const HINTS: Readonly<Record<number, string>> = {
  401: 'the token has expired or is not valid: ask again, with a fresh one',
  403: 'this user may not do so: look at the roles in the project and the container ACLs',
  404: 'there is no such object or container',
  413: 'it is over the largest size or the quota of the account or container',
  416: 'the object is shorter than it was',
  422: 'it arrived damaged',
  503: 'unavailable, or its disks are full',
  507: 'its disks are full',
};

/** Swift did not do what it was asked for. */
export class SwiftError extends AgentError {
  /** The HTTP status; null when no complete answer came. */
  readonly status: number | null;
  /** So long it asks to be left alone; null when it does not. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    facts: {
      status: number | null;
      retryable: boolean;
      cause?: unknown;
      retryAfterMs?: number | null;
    },
  ) {
    super(message, facts);
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}

/**
 * The error for an answer that is not a success. `what` is the call, without its query; `request` is
 * Swift's id of it, by which an operator finds it in Swift's logs; `text` is a plain text answer, of
 * Ceph RGW only a word as `AccessDenied`; `retryAfterMs` is what its Retry-After says; `final` is what to
 * do about an answer that stays as it is.
 */
export function refused(
  what: string,
  status: number,
  {
    request,
    text,
    retryAfterMs,
    final,
  }: {
    request?: string | undefined;
    text?: string | undefined;
    retryAfterMs?: number | null;
    final?: string | undefined;
  } = {},
): SwiftError {
  const hint = [final ?? HINTS[status], text].filter(Boolean).join('; it says: ');
  const parts = [`${what}: ${status}`, hint && ` (${hint})`, request && `, request ${request}`];
  // 422: the bytes did not arrive as they were sent; 401 stays until somebody gets a new token.
  const retryable = final === undefined && (PASSING.has(status) || status === 422);
  const message = parts.filter(Boolean).join('');
  return new SwiftError(message, { status, retryable, retryAfterMs: retryAfterMs ?? null });
}

/** The error for a Swift whose certificate will not do: somebody must do something about it. */
export function notTrusted(what: string, problem: string): SwiftError {
  return new SwiftError(`${what}: ${problem}`, { status: null, retryable: false });
}

/** The error for an answer that is longer than any of its kind. */
export function endless(what: string): SwiftError {
  return new SwiftError(`${what}: an answer without end`, { status: null, retryable: false });
}

/** The error for an answer that came whole and cannot be used: the next one would be the same. */
export function unreadable(what: string, why: string, cause?: unknown): SwiftError {
  return new SwiftError(`${what}: ${why}`, { status: null, retryable: false, cause });
}

/** The error for a URL that no call can be made to. */
export function notCallable(what: string): SwiftError {
  return new SwiftError(`${what}: that is no http or https URL`, {
    status: null,
    retryable: false,
  });
}

/**
 * The error for an answer that sends this call to another place. `why` says what keeps it from going
 * there.
 */
export function redirected(what: string, status: number, place: string, why: string): SwiftError {
  return new SwiftError(`${what}: ${status}, it redirects to ${place}, ${why}`, {
    status,
    retryable: false,
  });
}

/** The error for a call without a complete answer: another one can succeed. */
export function unanswered(what: string, why: string, cause?: unknown): SwiftError {
  return new SwiftError(`${what}: ${why}`, { status: null, retryable: true, cause });
}
