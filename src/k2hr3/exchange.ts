import type { Clock } from '../base/clock.ts';
import http from 'node:http';
import https from 'node:https';
import { isIPv6 } from 'node:net';
import { readBody } from './http-body.ts';
import type { Target } from './target.ts';

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
  /** `http://host:port` of who answered; the part of a URL that may be shown. */
  origin: string;
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Decoded from UTF-8, unpacked if it came as gzip. */
  body: string;
}

/** One call and its answer. Rejects with K2hr3Error `invalid-answer`, or what Node.js rejects with. */
export function exchange(
  target: Target,
  call: HttpRequest,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { clock, localAddress, ca, connectTimeoutMs = 5000, maxBodyBytes = 1024 * 1024 } = options;
  return new Promise((resolve, reject) => {
    const outgoing = (target.secure ? https : http).request({
      host: target.host,
      port: target.port,
      path: target.path,
      method: call.method,
      headers: call.headers,
      agent: false,
      localAddress,
      family: localAddress === undefined ? undefined : isIPv6(localAddress) ? 6 : 4,
      signal,
      ...(target.secure ? { ca } : {}),
    });
    const cancel = clock.after(connectTimeoutMs, () => {
      outgoing.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    });
    outgoing.once('socket', (socket) => {
      socket.once(target.secure ? 'secureConnect' : 'connect', cancel);
    });
    outgoing.once('close', cancel);
    outgoing.on('error', reject); // not once: one more may follow the first
    outgoing.once('response', (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      const { origin } = target;
      resolve(
        readBody(incoming, maxBodyBytes, origin).then((body) => ({
          origin,
          status,
          headers,
          body,
        })),
      );
    });
    outgoing.end();
  });
}
