import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';

/** What K2HR3 answers to a call, before it is put on the wire. */
export interface Answer {
  status: number;
  body: Buffer;
  headers: Record<string, string>;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** An answer with a JSON body. */
export function json(status: number, content: object): Answer {
  return {
    status,
    body: Buffer.from(JSON.stringify(content)),
    headers: { 'content-type': JSON_TYPE },
  };
}

/** 200 with what a read was for. */
export function resource(value: unknown): Answer {
  return json(200, { result: true, message: null, resource: value });
}

/** 204, without any header of a body. */
export const DONE: Answer = { status: 204, body: Buffer.alloc(0), headers: {} };

/** The answer to a path or method that does not exist, and to a broken body (captures 115 to 117). */
export function unknownCall(status = 404): Answer {
  return json(status, { result: false, message: 'Internal server error' });
}

/**
 * An error. To HEAD and DELETE it has no body; who asks for it with `x-k2hr3-debug: debug` gets the
 * text in a header (docs/contracts/k2hr3.md, 1.1).
 */
export function refuse(call: Call, status: number, message: string): Answer {
  const isBare = call.method === 'HEAD' || call.method === 'DELETE';
  const content = JSON.stringify(isBare ? { status } : { result: false, message });
  const debug = call.headers['x-k2hr3-debug'] === 'debug';
  return {
    status,
    body: Buffer.from(isBare ? '' : content),
    headers: { 'content-type': JSON_TYPE, ...(debug ? { 'x-k2hr3-error': content } : {}) },
  };
}

/** 401 with the token in its text (captures 070, 072). */
export function tokenNotExisted(call: Call): Answer {
  const token = call.sent?.token ?? '';
  return refuse(call, 401, `token(${token}) is not existed, because it is expired or not set yet.`);
}

/**
 * Writes the answer as Express does: with a weak ETag, and 304 to who has it already. If-Modified-
 * Since is ignored (captures 021, 022).
 */
export function send(
  response: ServerResponse,
  call: Call,
  answer: Answer,
  truncate: boolean,
): void {
  response.setHeader('x-powered-by', 'Express');
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (answer.body.length > 0) {
    response.setHeader('content-length', answer.body.length);
    response.setHeader('etag', weakEtag(answer.body));
  } else if (call.method === 'DELETE' && answer.status !== 204) {
    response.setHeader('content-length', 0);
  }
  const isFresh = call.headers['if-none-match'] === response.getHeader('etag');
  if (answer.status === 200 && answer.body.length > 0 && isFresh) {
    response.removeHeader('content-type');
    response.removeHeader('content-length');
    response.writeHead(304).end();
  } else if (truncate && answer.body.length > 0) {
    response.writeHead(answer.status);
    response.write(answer.body.subarray(0, answer.body.length / 2), () => {
      response.destroy();
    });
  } else {
    response.writeHead(answer.status).end(call.method === 'HEAD' ? undefined : answer.body);
  }
}

/** The ETag of Express: length in hex and SHA-1 (all captures). */
function weakEtag(body: Buffer): string {
  const digest = createHash('sha1').update(body).digest('base64').slice(0, 27);
  return `W/"${body.length.toString(16)}-${digest}"`;
}
