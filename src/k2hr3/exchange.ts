import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { send, type HttpCall } from '../http/send.ts';
import type { Target } from '../http/target.ts';
import { readBody } from './http-body.ts';

/** How K2HR3 is reached; the same for all calls. Times in milliseconds. */
export interface HttpOptions {
  clock: Clock;
  /**
   * The address calls are sent from. K2HR3 registers the TCP source address as the host's, and
   * knows a member by it (docs/contracts/k2hr3.md, 2.4 and 2.5). Default: the system chooses.
   */
  localAddress?: string | undefined;
  /** PEM text of the CA that signed K2HR3's certificate. Default: Node's own list of CAs. */
  ca?: string | undefined;
  /** Until TCP and TLS stand. Default 5000. */
  connectTimeoutMs?: number | undefined;
  /**
   * Until the answer is complete, retry included. Default 30000: with a stalled backend K2HR3 was
   * seen to answer after 19 s (docs/contracts/k2hr3.md, 8.1).
   */
  totalTimeoutMs?: number | undefined;
  /** Longest answer accepted, unpacked. Default 1 MiB; the ini of 50 servers has 15 KB. */
  maxBodyBytes?: number | undefined;
  /** Ends the call early, as `unreachable`. */
  signal?: AbortSignal | undefined;
}

/** One call. The path and query of `url` go over the wire as they are written here. */
export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
}

/** A complete answer, whatever its status. */
export interface HttpResponse {
  /** `http://host:port` of the K2HR3 that answered; the part of a URL that may be shown. */
  origin: string;
  status: number;
  headers: IncomingHttpHeaders;
  /** Decoded from UTF-8, unpacked if it came as gzip. */
  body: string;
}

/** Until an answer is complete (ms). */
export const TOTAL_MS = 30_000;

/** One call and its answer. Throws NoAnswer; K2hr3Error `invalid-answer`. */
export async function exchange(
  target: Target,
  { method, headers }: Pick<HttpCall, 'method' | 'headers'>,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { clock, localAddress, ca, maxBodyBytes = 1024 * 1024 } = options;
  const { connectTimeoutMs: connectMs = 5000, totalTimeoutMs: silenceMs = TOTAL_MS } = options;
  const way = { clock, localAddress, ca, connectMs, silenceMs, signal };
  const answer = await send({ method, target, headers }, way);
  const { origin } = target;
  const body = await readBody(answer, maxBodyBytes, origin);
  return { origin, status: answer.status, headers: answer.headers, body };
}
