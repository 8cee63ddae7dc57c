import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { withoutTrailing } from '../../base/text.ts';
import { tlsProblem } from './tls-problem.ts';

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

/** Until Keystone has answered (ms). */
const KEYSTONE_ANSWER_MS = 30_000;

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
  const { status, subject, answer } = await post(url, body, transport);
  if (status !== 201 && status !== 200) throw refused(url, status);
  const catalog = catalogOf(answer);
  if (subject === undefined || catalog === null) {
    throw failed(url, 'answered without a token and a catalog');
  }
  return { token: subject, catalog };
}

/** The configured URL can end with a version, or with nothing. */
function tokensUrl(authUrl: string): URL {
  const base = withoutTrailing(authUrl, '/').replace(/\/v(?:3|2\.0)$/, '');
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new AgentError(`auth_url of [service_credentials] is not a URL: ${authUrl}`);
  }
  return new URL(`${base}/v3/auth/tokens`);
}

interface KeystoneAnswer {
  status: number;
  /** X-Subject-Token. */
  subject: string | undefined;
  answer: string;
}

function post(url: URL, body: string, { ca, clock }: KeystoneTransport): Promise<KeystoneAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(failed(url, `cannot be asked: ${tlsProblem(error) ?? messageOf(error)}`, error));
    const call = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      agent: false,
      ...(url.protocol === 'https:' ? { ca } : {}),
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
    });
    const cancel = clock.after(KEYSTONE_ANSWER_MS, () => {
      call.destroy(new Error(`no answer within ${KEYSTONE_ANSWER_MS / 1000} s`));
    });
    call.once('close', cancel);
    call.on('error', fail);
    call.once('response', (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      const subject = headers['x-subject-token'];
      text(incoming).then(
        (answer) => resolve({ status, subject: [subject].flat()[0], answer }),
        fail,
      );
    });
    call.end(body);
  });
}

function catalogOf(answer: string): unknown[] | null {
  try {
    const { token } = JSON.parse(answer) as { token: { catalog: unknown } };
    return Array.isArray(token.catalog) ? token.catalog : null;
  } catch {
    return null;
  }
}

function refused(url: URL, status: number): AgentError {
  return failed(
    url,
    status === 401 || status === 404
      ? `does not accept the token of the request (status ${status}): it has expired, or is of another cloud`
      : `answered with status ${status}`,
  );
}

function failed(url: URL, what: string, cause?: unknown): AgentError {
  return new AgentError(`Keystone at ${url.origin} ${what}`, {
    cause,
    retryable: true,
  });
}
