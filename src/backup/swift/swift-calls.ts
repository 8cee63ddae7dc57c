import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { withoutTrailing } from '../../base/text.ts';
import { withReadsFreed } from './socket-reads.ts';
import { refused } from './swift-error.ts';
import {
  bodyOf,
  exchange,
  type SwiftBody,
  type SwiftCall,
  type SwiftTransport,
} from './swift-http.ts';

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
  /** Swift takes nothing and says nothing for so long: the call has failed. Default 60000. */
  silenceTimeoutMs?: number | undefined;
  /** Ends every call. */
  signal?: AbortSignal | undefined;
}

/** An answer that is not an object is read up to here. */
const MOST_TEXT_BYTES = 8 * 1024 * 1024;

/** Makes the calls to one account, and turns refusals into errors. */
export class SwiftCalls {
  readonly #account: string;
  readonly #origin: string;
  readonly #token: string;
  readonly #transport: SwiftTransport;

  constructor(options: SwiftOptions) {
    const url = new URL(options.storageUrl);
    const secure = url.protocol === 'https:';
    this.#account = withoutTrailing(url.href, '/');
    this.#origin = url.origin;
    this.#token = options.token;
    this.#transport = {
      agent: new (secure ? https : http).Agent({ keepAlive: true }),
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
    body?: SwiftBody,
  ): SwiftCall {
    const url = new URL([this.#account, ...parts.map(encodeURIComponent)].join('/'));
    const what = `Swift at ${this.#origin}: ${method} ${parts.join('/')}`;
    return { what, method, url, body, headers: { 'X-Auth-Token': this.#token, ...headers } };
  }

  /** The whole answer; refusals with one of `fine` count as success. */
  async complete(
    call: SwiftCall,
    fine: readonly number[] = [],
  ): Promise<{ status: number; text: string; incoming: http.IncomingMessage }> {
    const incoming = await exchange(call, this.#transport);
    const status = incoming.statusCode ?? 0;
    const good = (status >= 200 && status < 300) || fine.includes(status);
    if (!good) throw await this.#refusal(call, incoming);
    return { status, text: await this.#text(call, incoming), incoming };
  }

  /** An answer whose body is still to be read: the whole object, or the part asked for. */
  async open(
    call: SwiftCall,
  ): Promise<{ status: number; incoming: http.IncomingMessage; body: AsyncIterable<Buffer> }> {
    const incoming = await exchange(call, this.#transport);
    const status = incoming.statusCode ?? 0;
    if (status !== 200 && status !== 206) throw await this.#refusal(call, incoming);
    const body = withReadsFreed(incoming, bodyOf(incoming, call, this.#transport));
    return { status, incoming, body };
  }

  /** Closes the connections that wait for another call. */
  close(): void {
    this.#transport.agent.destroy();
  }

  async #refusal(call: SwiftCall, incoming: http.IncomingMessage): Promise<Error> {
    const isPlain = incoming.headers['content-type']?.startsWith('text/plain') ?? false;
    const text = await this.#text(call, incoming).catch(() => '');
    incoming.destroy(); // part of a body may not have been sent
    const id = incoming.headers['x-trans-id'];
    return refused(call.what, incoming.statusCode ?? 0, {
      request: typeof id === 'string' ? id : undefined,
      text: isPlain ? text.replaceAll(/\s+/g, ' ').trim().slice(0, 300) : undefined,
    });
  }

  async #text(call: SwiftCall, incoming: http.IncomingMessage): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of bodyOf(incoming, call, this.#transport)) {
      bytes += piece.length;
      if (bytes > MOST_TEXT_BYTES) throw new Error(`${call.what}: an answer without end`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  }
}
