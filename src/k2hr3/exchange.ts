import http from 'node:http';
import https from 'node:https';
import { isIPv6 } from 'node:net';
import { readBody } from './http-body.ts';
import type { HttpOptions, HttpRequest, HttpResponse } from './http.ts';
import type { Target } from './target.ts';

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
