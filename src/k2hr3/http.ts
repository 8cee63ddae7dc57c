import { codeOf, messageOf } from '../base/errors.ts';
import { K2hr3Error } from './k2hr3-error.ts';
import type { HttpOptions, HttpRequest, HttpResponse } from './exchange.ts';
import { parseTarget } from './target.ts';

/**
 * Makes one call over a connection of its own (K2HR3 closes idle ones after 5 s:
 * docs/contracts/k2hr3.md, 8.11). A GET or HEAD whose connection is reset or cut is sent once more.
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
