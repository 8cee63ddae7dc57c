import { codeOf, messageOf } from '../base/errors.ts';
import { NoAnswer } from '../http/no-answer.ts';
import { parseTarget } from '../http/target.ts';
import { tlsProblem } from '../http/tls-problem.ts';
import { wrongPeer } from '../http/wrong-peer.ts';
import { within } from '../http/within.ts';
import { K2hr3Error } from './k2hr3-error.ts';
import type { HttpOptions, HttpRequest, HttpResponse } from './exchange.ts';

/**
 * Makes one call over a connection of its own (K2HR3 closes idle ones after 5 s:
 * docs/contracts/k2hr3.md, 8.11). A GET or HEAD whose connection is reset or cut is sent once more.
 *
 * @throws K2hr3Error `unreachable` when no complete answer came, `invalid-answer` when it cannot be
 *   unpacked or is too long, `rejected` for a URL that cannot be called; its message does not hold the
 *   URL, which may be a secret.
 */
export async function request(call: HttpRequest, options: HttpOptions): Promise<HttpResponse> {
  // Node.js's HTTP and zlib: not before they are needed, a start waits for them.
  const { exchange, TOTAL_MS } = await import('./exchange.ts');
  const target = parseTarget(call.url);
  if (target === null) {
    throw new K2hr3Error('rejected', 'a K2HR3 address must be http://host:port/… or https://…');
  }
  const { clock, totalTimeoutMs = TOTAL_MS } = options;
  const again = call.method === 'GET' || call.method === 'HEAD';
  try {
    return await within(
      clock,
      totalTimeoutMs,
      async (signal) => {
        const ask = (): Promise<HttpResponse> => exchange(target, call, options, signal);
        return ask().catch((error: unknown) => {
          if (again && isCut(error) && !signal.aborted) return ask();
          throw error;
        });
      },
      options.signal,
    );
  } catch (error) {
    if (error instanceof K2hr3Error) throw error;
    throw unreachable(target.origin, error);
  }
}

function isCut(error: unknown): boolean {
  return error instanceof NoAnswer && codeOf(error.cause) === 'ECONNRESET';
}

function unreachable(origin: string, thrown: unknown): K2hr3Error {
  const cause = thrown instanceof NoAnswer ? thrown.cause : undefined;
  const why = tlsProblem(cause, 'k2hr3.ca_file') ?? wrongPeer(cause) ?? messageOf(thrown);
  return new K2hr3Error('unreachable', `K2HR3 at ${origin}: ${why}`, { cause: thrown });
}
