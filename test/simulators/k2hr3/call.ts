import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * A token as it was sent; without a prefix it counts as a user's (docs/contracts/k2hr3.md, 1.1).
 */
export interface SentToken {
  kind: 'role' | 'user';
  token: string;
}

/** One request, taken apart. */
export interface Call {
  method: string;
  /** As it was sent, percent-encoding and all, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  sent: SentToken | undefined;
  /** Who K2HR3 takes the caller for. */
  source: string;
  /** The parsed JSON body; `undefined` when there is none or it is not JSON. */
  body: unknown;
  /** There was a body that is not JSON. */
  isBodyBroken: boolean;
}

export async function readCall(incoming: IncomingMessage): Promise<Call> {
  const [path = '/', query = ''] = (incoming.url ?? '/').split(/\?(.*)/s);
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  const body = text === '' ? undefined : parseJson(text);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    sent: sentToken(incoming.headers['x-auth-token']),
    source: sourceAddress(incoming),
    body,
    isBodyBroken: text !== '' && body === undefined,
  };
}

/** Undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sentToken(header: string | string[] | undefined): SentToken | undefined {
  if (typeof header !== 'string') return undefined;
  if (header.startsWith('R=')) return { kind: 'role', token: header.slice(2) };
  return { kind: 'user', token: header.replace(/^U=/, '') };
}

/**
 * The TCP peer, or whom it speaks for: X-Forwarded-For counts only as far as each next hop is on
 * loopback (`trust proxy = loopback`; docs/contracts/k2hr3.md, 1.4).
 */
function sourceAddress(incoming: IncomingMessage): string {
  const header = incoming.headers['x-forwarded-for'];
  const forwarded = typeof header === 'string' ? header.split(',').map((hop) => hop.trim()) : [];
  const hops = [incoming.socket.remoteAddress ?? '', ...forwarded.reverse()];
  return hops.find((hop) => !hop.startsWith('127.')) ?? hops.at(-1) ?? '';
}
