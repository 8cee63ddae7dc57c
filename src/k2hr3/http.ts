import type http from 'node:http';
import { codeOf, messageOf } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { K2hr3Error } from './errors.ts';
import { parseTarget } from './target.ts';

/** How K2HR3 is reached; the same for all calls. Times in milliseconds. */
export interface HttpOptions {
  clock: Clock;
  /**
   * The address calls are sent from. K2HR3 registers the TCP source address as the host's, and
   * knows a member by it (k2hr3 contract, sections 0.2 and 2.5). Default: the system chooses.
   */
  localAddress?: string | undefined;
  /** PEM text of the CA that signed K2HR3's certificate. Default: Node's own list of CAs. */
  ca?: string | undefined;
  /** Until TCP and TLS stand. Default 5000. */
  connectTimeoutMs?: number | undefined;
  /**
   * Until the answer is complete, retry included. Default 30000: with a stalled backend K2HR3 was
   * seen to answer after 19 s (k2hr3 contract, section 8.1).
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

/**
 * Makes one call over a connection of its own (K2HR3 closes idle ones after 5 s: contract, section
 * 8.11). A GET or HEAD whose connection is reset or cut is sent once more.
 *
 * @throws K2hr3Error `unreachable` when no complete answer came, `invalid-answer` when it cannot be
 *   unpacked or is too long, `rejected` for a URL that cannot be called.
 */
export async function request(call: HttpRequest, options: HttpOptions): Promise<HttpResponse> {
  // Node.js's HTTP and zlib: not before they are needed, a start waits for them.
  const { exchange } = await import('./exchange.ts');
  const target = parseTarget(call.url);
  const { clock, totalTimeoutMs = 30_000 } = options;
  const deadline = new AbortController();
  const late = new Error(`no complete answer within ${totalTimeoutMs} ms`);
  const cancel = clock.after(totalTimeoutMs, () => {
    deadline.abort(late);
  });
  const signal = AbortSignal.any([deadline.signal, ...(options.signal ? [options.signal] : [])]);
  const send = (): Promise<HttpResponse> => exchange(target, call, options, signal);
  try {
    return await send().catch((error: unknown) => {
      const again = call.method === 'GET' || call.method === 'HEAD';
      if (again && codeOf(error) === 'ECONNRESET' && !signal.aborted) return send();
      throw error;
    });
  } catch (error) {
    if (error instanceof K2hr3Error) throw error;
    throw unreachable(target.origin, signal.aborted ? signal.reason : error);
  } finally {
    cancel();
  }
}

function unreachable(origin: string, thrown: unknown): K2hr3Error {
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_/.test(codeOf(thrown) ?? '');
  const hint = certificate ? '; configure the certificate of the CA that signed it' : '';
  return new K2hr3Error('unreachable', `K2HR3 at ${origin}: ${messageOf(thrown)}${hint}`, {
    cause: thrown,
  });
}
