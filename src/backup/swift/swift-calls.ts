import type http from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { withoutTrailing } from '../../base/text.ts';
import { plainToTls } from '../../http/plain-to-tls.ts';
import { Pool } from '../../http/pool.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import type { HttpBody } from '../../http/send-body.ts';
import type { HttpAnswer } from '../../http/send.ts';
import { TooLong, wholeBody } from '../../http/whole-body.ts';
import { Redirects } from './redirects.ts';
import { withReadsFreed } from './socket-reads.ts';
import { endless, refused, unreadable } from './swift-error.ts';
import { exchange, type SwiftCall, type SwiftTransport } from './swift-http.ts';

/** Which account of which Swift, and how it is spoken to. Times in milliseconds. */
export interface SwiftOptions {
  /** The account, as `https://swift.example/v1/AUTH_<project>`. */
  storageUrl: string;
  /** Goes into X-Auth-Token, and nowhere else. */
  token: string;
  clock: Clock;
  /** PEM text of the CA of Swift's certificate. Default: those that Node.js knows. */
  ca?: string | undefined;
  /** Takes any certificate: Trove's `swift_api_insecure`. Default false. */
  insecure?: boolean | undefined;
  /** Until TCP and TLS stand. Default 10000. */
  connectTimeoutMs?: number | undefined;
  /**
   * Swift takes nothing and says nothing for so long, or sends less than 64 KiB of a body in it: the
   * call has failed. Default 60000.
   */
  silenceTimeoutMs?: number | undefined;
  /** Ends every call. */
  signal?: AbortSignal | undefined;
}

/** An answer that is not an object is read up to here. */
const MOST_TEXT_BYTES = 8 * 1024 * 1024;

/** Makes the calls to one account, and turns refusals into errors. */
export class SwiftCalls {
  readonly #redirects: Redirects;
  readonly #token: string;
  readonly #transport: SwiftTransport;

  constructor(options: SwiftOptions) {
    this.#redirects = new Redirects(withoutTrailing(new URL(options.storageUrl).href, '/'));
    this.#token = options.token;
    this.#transport = {
      pool: new Pool(),
      clock: options.clock,
      ca: options.ca,
      insecure: options.insecure ?? false,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      silenceTimeoutMs: options.silenceTimeoutMs ?? 60_000,
      signal: options.signal,
    };
  }

  /** A call to a container, or to an object in it. */
  call(
    method: SwiftCall['method'],
    parts: readonly string[],
    headers: Record<string, string> = {},
    body?: HttpBody,
  ): SwiftCall {
    const url = new URL([this.#redirects.account, ...parts.map(encodeURIComponent)].join('/'));
    const what = `Swift at ${url.origin}: ${method} ${parts.join('/')}`;
    return { what, method, url, body, headers: { 'X-Auth-Token': this.#token, ...headers } };
  }

  /** A call to what Swift says about itself, which needs no token. Throws SwiftError. */
  info(): SwiftCall {
    const account = new URL(this.#redirects.account);
    const what = `Swift at ${account.origin}: GET info`;
    // Ceph RGW has it below its prefix: /swift/info beside /swift/v1.
    const [, prefix] = /^(.*?)\/v1(?:\.0)?(?:\/|$)/.exec(account.pathname) ?? [];
    if (prefix === undefined) throw unreadable(what, `its URL is not …/v1/…`);
    return { what, method: 'GET', url: new URL(`${prefix}/info`, account), headers: {} };
  }

  /** The whole answer; refusals with one of `fine` count as success. */
  async complete(
    call: SwiftCall,
    fine: readonly number[] = [],
  ): Promise<{ status: number; text: string; incoming: http.IncomingMessage }> {
    const answer = await this.#answerTo(call);
    const { status, incoming } = answer;
    const good = (status >= 200 && status < 300) || fine.includes(status);
    if (!good) throw await this.#refusal(call, answer);
    return { status, text: await textOf(call, answer), incoming };
  }

  /** An answer whose body is still to be read: the whole object, or the part asked for. */
  async open(
    call: SwiftCall,
  ): Promise<{ status: number; incoming: http.IncomingMessage; body: AsyncIterable<Buffer> }> {
    const answer = await this.#answerTo(call);
    const { status, incoming, body } = answer;
    if (status !== 200 && status !== 206) throw await this.#refusal(call, answer);
    return { status, incoming, body: withReadsFreed(incoming, body) };
  }

  /** Closes the connections that wait for another call. */
  close(): void {
    this.#transport.pool.close();
  }

  #answerTo(call: SwiftCall): Promise<HttpAnswer> {
    return this.#redirects.follow(call, (at) => exchange(at, this.#transport));
  }

  async #refusal(call: SwiftCall, answer: HttpAnswer): Promise<Error> {
    const { status, headers, incoming } = answer;
    const isPlain = headers['content-type']?.startsWith('text/plain') ?? false;
    const text = await textOf(call, answer).catch(() => '');
    incoming.destroy(); // part of a body may not have been sent
    const id = headers['x-trans-id'];
    return refused(call.what, status, {
      request: typeof id === 'string' ? id : undefined,
      text: isPlain ? text.replaceAll(/\s+/g, ' ').trim().slice(0, 300) : undefined,
      retryAfterMs: retryAfterMs(headers['retry-after'], this.#transport.clock.wall()),
      final: call.final?.[status] ?? plainToTls(call.url, { status, text }) ?? undefined,
    });
  }
}

async function textOf({ what }: SwiftCall, { body }: HttpAnswer): Promise<string> {
  try {
    return (await wholeBody(body, MOST_TEXT_BYTES)).toString();
  } catch (error) {
    throw error instanceof TooLong ? endless(what) : error;
  }
}
