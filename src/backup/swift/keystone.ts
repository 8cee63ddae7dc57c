import { AgentError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { withoutTrailing } from '../../base/text.ts';
import { NoAnswer } from '../../http/no-answer.ts';
import { plainToTls } from '../../http/plain-to-tls.ts';
import { MOST_REDIRECTS, redirectOf } from '../../http/redirect.ts';
import { send } from '../../http/send.ts';
import { isBaseUrl, parseTarget, showable } from '../../http/target.ts';
import { tlsProblem } from '../../http/tls-problem.ts';
import { wrongPeer } from '../../http/wrong-peer.ts';
import { wholeBody } from '../../http/whole-body.ts';
import { within } from '../../http/within.ts';

/** A token made from another one, and the catalog that came with it. */
export interface ScopedToken {
  /** A secret. */
  token: string;
  catalog: readonly unknown[];
}

/** How Keystone is asked. */
interface KeystoneTransport {
  /** PEM text of the CA of its certificate; undefined: those that Node.js knows. */
  ca: string | undefined;
  clock: Clock;
}

/** Until Keystone has answered, where it redirects to included (ms). */
const KEYSTONE_ANSWER_MS = 30_000;
/** Until TCP and TLS stand (ms). */
const CONNECT_MS = 10_000;
/** Below the URL of Keystone's version 3. */
const TOKENS = '/auth/tokens';
/** A catalog of a hundred services and regions has 100 KB. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Exchanges the user's token for one of the project, as the backup container of Trove until 2026.1
 * does (docs/contracts/swift.md, 1.2).
 *
 * @throws AgentError, with the status but never the token.
 */
export async function rescope(
  authUrl: string,
  { token, projectId }: { token: string; projectId: string },
  transport: KeystoneTransport,
): Promise<ScopedToken> {
  const url = tokensUrl(authUrl);
  const identity = { methods: ['token'], token: { id: token } };
  const body = JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } });
  const { status, subject, answer, at } = await post(url, body, transport).catch(
    (error: unknown) => {
      if (error instanceof AgentError && !(error instanceof NoAnswer)) throw error;
      const cause = error instanceof NoAnswer ? error.cause : error;
      const problem = tlsProblem(cause, 'backup.ca_file') ?? wrongPeer(cause);
      throw failed(url, `cannot be asked: ${problem ?? messageOf(error)}`, error);
    },
  );
  if (status !== 201 && status !== 200) {
    throw refused(url, status, plainToTls(at, { status, text: answer }));
  }
  const catalog = catalogOf(answer);
  if (subject === undefined || catalog === null) {
    throw failed(url, 'answered without a token and a catalog');
  }
  return { token: subject, catalog };
}

/** The configured URL can end with a version, or with nothing. */
function tokensUrl(authUrl: string): URL {
  const base = withoutTrailing(authUrl, '/').replace(/\/v(?:3|2\.0)$/, '');
  if (!isBaseUrl(base)) {
    throw new AgentError(
      `auth_url of [service_credentials] is not http://host:port/… or https://…, without a user or a query: ${showable(authUrl)}`,
    );
  }
  return new URL(`${base}/v3${TOKENS}`);
}

interface KeystoneAnswer {
  status: number;
  /** X-Subject-Token. */
  subject: string | undefined;
  answer: string;
  /** Who answered in the end. */
  at: URL;
}

/** Asks, and goes on where Keystone redirects to, with the same method and body, as keystoneauth does. */
function post(first: URL, body: string, transport: KeystoneTransport): Promise<KeystoneAnswer> {
  return within(transport.clock, KEYSTONE_ANSWER_MS, async (signal) => {
    let url = first;
    for (let hops = 0; ; hops++) {
      const { status, headers, answer } = await postOnce(url, body, transport, signal);
      const to = redirectOf({ status, headers }, url);
      if (to === null) {
        return { status, subject: [headers['x-subject-token']].flat()[0], answer, at: url };
      }
      if (to.url === null) throw redirected(first, status, elsewhere(to.place));
      if (hops === MOST_REDIRECTS) {
        throw redirected(first, status, `${to.place}, after ${hops} other places`);
      }
      url = to.url;
    }
  });
}

async function postOnce(
  url: URL,
  body: string,
  { ca, clock }: KeystoneTransport,
  signal: AbortSignal,
) {
  const target = parseTarget(url.href);
  if (target === null) throw failed(url, 'redirects to what cannot be called');
  const bytes = Buffer.from(body);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) };
  const way = { ca, clock, signal, connectMs: CONNECT_MS, silenceMs: KEYSTONE_ANSWER_MS };
  const call = { method: 'POST', target, headers, body: bytes } as const;
  const { status, headers: answered, body: pieces } = await send(call, way);
  return { status, headers: answered, answer: (await wholeBody(pieces, MOST_BYTES)).toString() };
}

function catalogOf(answer: string): unknown[] | null {
  try {
    const { token } = JSON.parse(answer) as { token: { catalog: unknown } };
    return Array.isArray(token.catalog) ? token.catalog : null;
  } catch {
    return null;
  }
}

function refused(url: URL, status: number, problem: string | null): AgentError {
  return failed(
    url,
    status === 401 || status === 404
      ? `does not accept the token of the request (status ${status}): it has expired, or is of another cloud`
      : `answered with status ${status}${problem === null ? '' : `: ${problem}`}`,
  );
}

function redirected(url: URL, status: number, where: string): AgentError {
  return failed(url, `answered with status ${status}: it redirects to ${where}`);
}

/** @param place where a token is made: auth_url is what stands before that. */
function elsewhere(place: string): string {
  const base = place.endsWith(TOKENS) ? place.slice(0, -TOKENS.length) : 'that of Keystone';
  return `${place}, where the token must not go by itself; if that is right set auth_url of [service_credentials] to ${base}`;
}

function failed(url: URL, what: string, cause?: unknown): AgentError {
  return new AgentError(`Keystone at ${url.origin} ${what}`, {
    cause,
    retryable: true,
  });
}
