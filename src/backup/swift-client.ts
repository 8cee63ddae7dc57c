import http from 'node:http';
import https from 'node:https';
import * as v from 'valibot';
import type { Clock } from '../base/clock.ts';
import { refused, unanswered } from './swift-error.ts';
import {
  bodyOf,
  exchange,
  type SwiftBody,
  type SwiftCall,
  type SwiftTransport,
} from './swift-http.ts';
import { factsOf, type ObjectFacts } from './swift-object.ts';

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

/** An object, its body still to be read: an iteration that ends early ends the connection. */
export interface ObjectStream extends ObjectFacts {
  /** The status: 200 for the whole object, 206 for the part that was asked for. */
  status: number;
  body: AsyncIterable<Buffer>;
}

/** A segment, as a manifest names it; `path` is `container/name`. */
export interface ManifestEntry {
  path: string;
  etag: string;
  size_bytes: number;
}

const listSchema = v.array(v.object({ name: v.string(), bytes: v.number() }));
/** A segment that is itself large, or a part of an object, has more keys: no backup has such. */
const segmentSchema = v.strictObject({
  name: v.string(),
  bytes: v.number(),
  /** MD5 in hex. */
  hash: v.string(),
  content_type: v.unknown(),
  last_modified: v.unknown(),
});
/** A segment of a static large object, in the object's order. */
export type Segment = v.InferOutput<typeof segmentSchema>;
/** Something in a container's list. */
export type ListedObject = v.InferOutput<typeof listSchema>[number];

/** So long Swift may copy an object or look at segments before it says a word (ms). */
const BUSY_MS = 600_000;
/** What Swift lists at once. */
const PAGE = 10_000;
/** An answer that is not an object is read up to here. */
const MOST_TEXT_BYTES = 8 * 1024 * 1024;

/**
 * One account of Swift. Every call can be repeated; whether that can help, the error says. Objects
 * are named `container`, `name` and not by path, so that neither can reach into the other.
 *
 * Every method throws SwiftError: with the status of a refusal, or with none when no complete answer
 * came.
 */
export class SwiftClient {
  readonly #account: string;
  readonly #origin: string;
  readonly #token: string;
  readonly #transport: SwiftTransport;

  constructor(options: SwiftOptions) {
    const url = new URL(options.storageUrl);
    const secure = url.protocol === 'https:';
    this.#account = url.href.replace(/\/+$/, '');
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

  /** Makes a container; one that is there already stays. */
  async createContainer(container: string): Promise<void> {
    await this.#complete(this.#call('PUT', [container], { 'Content-Length': '0' }));
  }

  /** All objects whose name begins with `prefix`, by name. None when there is no container. */
  async list(container: string, prefix: string): Promise<ListedObject[]> {
    const all: ListedObject[] = [];
    for (;;) {
      const call = this.#call('GET', [container]);
      const marker = all.at(-1)?.name ?? '';
      call.url.search = new URLSearchParams({ format: 'json', prefix, marker }).toString();
      const { status, text } = await this.#complete(call, [404]);
      const page = status === 200 ? listed(call, text, listSchema) : [];
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  }

  /** What is known about an object; a large one as a whole. */
  async head(container: string, name: string): Promise<ObjectFacts> {
    const { incoming } = await this.#complete(this.#call('HEAD', [container, name]));
    return factsOf(incoming);
  }

  /**
   * Opens an object for reading from byte `from` on. With an `ifMatch` Swift refuses (412) when the
   * object is another one by now.
   */
  async get(
    container: string,
    name: string,
    { from = 0, ifMatch }: { from?: number; ifMatch?: string } = {},
  ): Promise<ObjectStream> {
    const call = this.#call('GET', [container, name], {
      ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
    });
    const incoming = await exchange(call, this.#transport);
    const status = incoming.statusCode ?? 0;
    if (status !== 200 && status !== 206) throw await this.#refusal(call, incoming);
    const body = bodyOf(incoming, call, this.#transport);
    return { status, body, ...factsOf(incoming) };
  }

  /** What a static large object is made of. */
  async segments(container: string, name: string): Promise<Segment[]> {
    const call = this.#call('GET', [container, name]);
    call.url.search = 'multipart-manifest=get';
    const { text } = await this.#complete(call);
    return listed(call, text, v.array(segmentSchema));
  }

  /**
   * Stores an object; resolves with the ETag that Swift found. A body that is a stream goes out in
   * chunks, made as fast as Swift takes it.
   */
  async put(
    container: string,
    name: string,
    body: SwiftBody,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const call = this.#call('PUT', [container, name], { ...headers, ...bodyHeaders(body) }, body);
    return factsOf((await this.#complete(call)).incoming).etag;
  }

  /**
   * Makes a static large object of segments that are there; resolves with its ETag. Swift looks at
   * each segment, and refuses (400) when one is not as it is said to be.
   */
  async putManifest(
    container: string,
    name: string,
    segments: readonly ManifestEntry[],
    headers: Record<string, string> = {},
  ): Promise<string> {
    const body = Buffer.from(JSON.stringify(segments));
    const call = this.#call('PUT', [container, name], { ...headers, ...bodyHeaders(body) }, body);
    call.url.search = 'multipart-manifest=put';
    return factsOf((await this.#complete({ ...call, silenceTimeoutMs: BUSY_MS })).incoming).etag;
  }

  /** Copies the object at `from`, which is `container/name`, inside Swift. */
  async copy(
    from: string,
    container: string,
    name: string,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const source = { 'X-Copy-From': encodeURI(from), 'Content-Length': '0' };
    const call = this.#call('PUT', [container, name], { ...headers, ...source });
    await this.#complete({ ...call, silenceTimeoutMs: BUSY_MS });
  }

  /** Removes an object, or the manifest of a large one; none there is fine. */
  async delete(container: string, name: string): Promise<void> {
    await this.#complete(this.#call('DELETE', [container, name]), [404]);
  }

  /** Closes the connections that wait for another call. */
  close(): void {
    this.#transport.agent.destroy();
  }

  #call(
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
  async #complete(
    call: SwiftCall,
    fine: readonly number[] = [],
  ): Promise<{ status: number; text: string; incoming: http.IncomingMessage }> {
    const incoming = await exchange(call, this.#transport);
    const status = incoming.statusCode ?? 0;
    const good = (status >= 200 && status < 300) || fine.includes(status);
    if (!good) throw await this.#refusal(call, incoming);
    return { status, text: await this.#text(call, incoming), incoming };
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

/** A sized body says so; the size of a stream is not known, and Swift is to ask for it. */
function bodyHeaders(body: SwiftBody): Record<string, string> {
  if (body instanceof Uint8Array) return { 'Content-Length': String(body.length) };
  return { 'Transfer-Encoding': 'chunked', Expect: '100-continue' };
}

function listed<T>(call: SwiftCall, text: string, schema: v.GenericSchema<unknown, T>): T {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (error) {
    throw unanswered(call.what, 'its list cannot be read', error);
  }
}
