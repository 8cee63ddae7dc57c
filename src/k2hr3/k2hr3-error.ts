import { AgentError } from '../base/errors.ts';
import type { ErrorFacts } from '../base/errors.ts';
import { plainToTls } from '../http/plain-to-tls.ts';
import { redirectOf } from '../http/redirect.ts';

/**
 * What went wrong between this VM and K2HR3.
 *
 * - `unreachable`: no whole answer came (refused, reset, cut off, timed out, certificate).
 * - `unauthorized` (401), `forbidden` (403), `not-found` (404): may be true, or may only mean that
 *   the K2HDKC behind the API is slow (docs/contracts/k2hr3.md, 7.1). Never tear down because of
 *   one.
 * - `server-error`: 5xx.
 * - `invalid-answer`: an answer that is not what was asked for: a proxy's page, a wrong value read.
 * - `rejected`: the request itself is wrong (400); the same request will be refused again.
 */
export type K2hr3ErrorKind =
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'invalid-answer'
  | 'rejected'
  | 'server-error';

/**
 * Any failure of a call to K2HR3. Everything but `rejected` can succeed
 * later. The message never holds a token or the path of an extdata URL.
 */
export class K2hr3Error extends AgentError {
  readonly kind: K2hr3ErrorKind;

  constructor(kind: K2hr3ErrorKind, message: string, facts: ErrorFacts = {}) {
    super(message, { retryable: kind !== 'rejected', ...facts });
    this.kind = kind;
  }
}

/** What an HTTP status that is not success says about the call. */
export function kindOfStatus(status: number): K2hr3ErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status >= 500) return 'server-error';
  return status >= 400 ? 'rejected' : 'invalid-answer';
}

/**
 * The error for an answer with another status than the one hoped for. `doing` completes "K2HR3 at
 * <origin> …"; K2HR3's own text is added without what looks like a secret. K2HR3 itself never
 * redirects; what does in its place is named, without a path, which may be a secret.
 */
export function refusal(
  doing: string,
  answer: {
    origin: string;
    status: number;
    body: string;
    headers?: { location?: string | undefined };
  },
): K2hr3Error {
  const kind = kindOfStatus(answer.status);
  const origin = new URL(answer.origin);
  const to = redirectOf({ headers: {}, ...answer }, origin);
  const tls = plainToTls(origin, { status: answer.status, text: answer.body });
  const said = to === null ? (tls ?? saidBy(answer.body)) : whereTo(to.origin, answer.origin);
  const text = `K2HR3 at ${answer.origin} ${doing}: status ${answer.status}`;
  return new K2hr3Error(kind, said === '' ? text : `${text}, ${said}`);
}

/**
 * Text of K2HR3 made fit for a message: one line, at most 200 characters, and nothing that could be
 * a token or a register path. A 401 echoes the token it was given, and after a stall an answer can
 * hold somebody else's (docs/contracts/k2hr3.md, 2.3 and 7.2).
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\btoken\([^)]*\)?/g, 'token([secret])')
    .replaceAll(/[A-Za-z0-9+/=%_-]{40,}/g, '[secret]')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 200);
}

function whereTo(origin: string, from: string): string {
  return origin === from
    ? 'which redirects to another path of this address: it is not that of the API of K2HR3'
    : `which redirects to ${origin}: use that address`;
}

function saidBy(body: string): string {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('message' in answer)) return '';
    return typeof answer.message === 'string' ? withoutSecrets(answer.message) : '';
  } catch {
    return body === '' ? '' : 'and an answer that is not JSON';
  }
}
