import * as v from 'valibot';
import { SwiftCalls, type SwiftOptions } from './swift-calls.ts';
import type { HttpBody } from '../../http/send-body.ts';
import { listSchema, manifestSchema, type ListedObject } from './segment-lists.ts';
import { unreadable } from './swift-error.ts';
import type { SwiftCall } from './swift-http.ts';
import { infoSchema, type SwiftLimits } from './swift-limits.ts';
import { factsOf, type ObjectFacts } from './swift-object.ts';

export type { SwiftOptions } from './swift-calls.ts';

/** An object, its body still to be read: an iteration that ends early ends the connection. */
export interface ObjectStream extends ObjectFacts {
  /** The status: 200 for the whole object, 206 for the part that was asked for. */
  status: number;
  body: AsyncIterable<Buffer>;
}

/** A segment, as a manifest names it; `path` is `/container/name`. */
export interface ManifestEntry {
  path: string;
  etag: string;
  size_bytes: number;
}

/** So long Swift may copy an object or look at segments before it says a word (ms). */
const BUSY_MS = 600_000;
/** More than a hundred times what a backup has. */
const MOST_LISTED = 100_000;
/** Swift itself answers so only when a container is to have another storage policy than it has. */
const FOREIGN_CONTAINER =
  'a container of this name belongs to another project, as it can on Ceph RGW without rgw_keystone_implicit_tenants: name another container';

/**
 * One account of Swift. Every call can be repeated; whether that can help, the error says. Objects
 * are named `container`, `name` and not by path, so that neither can reach into the other.
 *
 * Every method throws SwiftError: with the status of a refusal, or with none when no complete answer
 * came.
 */
export class SwiftClient {
  readonly #calls: SwiftCalls;

  constructor(options: SwiftOptions) {
    this.#calls = new SwiftCalls(options);
  }

  /**
   * What this Swift takes at most, by its own word, in one try and without the token. Throws SwiftError
   * when it does not say.
   */
  async limits(): Promise<SwiftLimits> {
    const call = this.#calls.info();
    const { text } = await this.#calls.complete(call);
    return read(call, text, infoSchema);
  }

  /** Makes a container; one that is there already stays. */
  async createContainer(container: string): Promise<void> {
    const call = this.#calls.call('PUT', [container], { 'Content-Length': '0' });
    await this.#calls.complete({ ...call, final: { 409: FOREIGN_CONTAINER } });
  }

  /** All objects whose name begins with `prefix`, by name. None when there is no container. */
  async list(container: string, prefix: string): Promise<ListedObject[]> {
    const all: ListedObject[] = [];
    let marker = '';
    for (;;) {
      const call = this.#calls.call('GET', [container]);
      call.url.search = new URLSearchParams({ format: 'json', prefix, marker }).toString();
      const { status, text } = await this.#calls.complete(call, [404]);
      const page = status === 200 ? read(call, text, listSchema) : [];
      const last = page.at(-1)?.name;
      // Swift decides how much a page holds; an empty one is the end.
      if (last === undefined) return all;
      const isOwn = page.every(({ name }) => name.startsWith(prefix));
      if (!isOwn) throw unreadable(call.what, `it lists what does not begin with ${prefix}`);
      if (!isAfter(last, marker)) throw unreadable(call.what, 'its list does not go on');
      for (const one of page) all.push(one);
      if (all.length > MOST_LISTED) {
        throw unreadable(call.what, `it lists more than ${MOST_LISTED} objects`);
      }
      marker = last;
    }
  }

  /** What is known about an object; a large one as a whole. */
  async head(container: string, name: string): Promise<ObjectFacts> {
    // Ceph RGW goes on reading a large object when it has answered (docs/contracts/swift.md, 11.3), and would
    // answer the next call on this connection only when it has read all of it.
    const call = this.#calls.call('HEAD', [container, name], { Connection: 'close' });
    return factsOf((await this.#calls.complete(call)).incoming);
  }

  /** Opens an object for reading from byte `from` on. */
  async get(container: string, name: string, from = 0): Promise<ObjectStream> {
    const range = from > 0 ? { Range: `bytes=${from}-` } : {};
    const call = this.#calls.call('GET', [container, name], range);
    const { status, incoming, body } = await this.#calls.open(call);
    return { status, body, ...factsOf(incoming) };
  }

  /**
   * What a static large object is made of, in its order, by its manifest. Nothing on a Ceph RGW that has
   * no answer to this (docs/contracts/swift.md, 11.2).
   */
  async segments(container: string, name: string): Promise<ListedObject[]> {
    const call = this.#calls.call('GET', [container, name]);
    call.url.search = 'multipart-manifest=get';
    const { text } = await this.#calls.complete(call);
    return text === '' ? [] : read(call, text, manifestSchema);
  }

  /**
   * Stores an object; resolves with the ETag that Swift found. A body that is a stream goes out in
   * chunks, made as fast as Swift takes it.
   */
  async put(
    container: string,
    name: string,
    body: HttpBody,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const call = this.#calls.call(
      'PUT',
      [container, name],
      { ...headers, ...bodyHeaders(body) },
      body,
    );
    return factsOf((await this.#calls.complete(call)).incoming).etag;
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
    const call = this.#calls.call(
      'PUT',
      [container, name],
      { ...headers, ...bodyHeaders(body) },
      body,
    );
    call.url.search = 'multipart-manifest=put';
    return factsOf((await this.#calls.complete({ ...call, silenceTimeoutMs: BUSY_MS })).incoming)
      .etag;
  }

  /** Copies the object at `from`, which is `container/name`, inside Swift. */
  async copy(
    from: string,
    container: string,
    name: string,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const path = from.split('/').map(encodeURIComponent).join('/');
    const source = { 'X-Copy-From': path, 'Content-Length': '0' };
    const call = this.#calls.call('PUT', [container, name], { ...headers, ...source });
    await this.#calls.complete({ ...call, silenceTimeoutMs: BUSY_MS });
  }

  /** Removes an object, or the manifest of a large one; none there is fine. */
  async delete(container: string, name: string): Promise<void> {
    await this.#calls.complete(this.#calls.call('DELETE', [container, name]), [404]);
  }

  /** Closes the connections that wait for another call. */
  close(): void {
    this.#calls.close();
  }
}

/** A sized body says so; the size of a stream is not known, and Swift is to ask for it. */
function bodyHeaders(body: HttpBody): Record<string, string> {
  if (body instanceof Uint8Array) return { 'Content-Length': String(body.length) };
  return { 'Transfer-Encoding': 'chunked', Expect: '100-continue' };
}

/** Swift sorts names by their bytes in UTF-8. */
function isAfter(name: string, marker: string): boolean {
  return Buffer.compare(Buffer.from(name), Buffer.from(marker)) > 0;
}

function read<T>(call: SwiftCall, text: string, schema: v.GenericSchema<unknown, T>): T {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (error) {
    throw unreadable(call.what, 'its list cannot be read', error);
  }
}
