import { createHash } from 'node:crypto';

/** An object as a container lists it. */
export interface ListedObject {
  name: string;
  bytes: number;
  /** The ETag without quotes. */
  hash: string;
}

/** An answer of Swift. */
export interface SwiftAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** How a request goes out. */
export interface SwiftRequest {
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** What a test does with a project's objects beside the agent, with a token of its own. */
export class SwiftAccount {
  /** Such as http://127.0.0.1:8080/v1/AUTH_test: Trove's swift_url. */
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** Any request to a path below the account, such as `/container/object?multipart-manifest=get`. */
  async request(method: string, path: string, request: SwiftRequest = {}): Promise<SwiftAnswer> {
    const { headers = {}, body } = request;
    const response = await fetch(this.url + path, {
      method,
      headers: { 'X-Auth-Token': this.token, ...headers },
      ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });
    const answer = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body: answer };
  }

  /** Makes a container; one that is there stays. */
  async makeContainer(container: string): Promise<void> {
    await this.#done('PUT', `/${container}`);
  }

  /** Everything in a container, by name; nothing when there is no container. */
  async list(container: string): Promise<ListedObject[]> {
    const all: ListedObject[] = [];
    for (;;) {
      const marker = encodeURIComponent(all.at(-1)?.name ?? '');
      const path = `/${container}?format=json&marker=${marker}`;
      const { status, body } = await this.request('GET', path);
      const page = status === 200 ? (JSON.parse(body.toString()) as ListedObject[]) : [];
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  /** The names of everything in a container. */
  async names(container: string): Promise<string[]> {
    return (await this.list(container)).map(({ name }) => name);
  }

  /** Puts a plain object; resolves with the ETag. */
  async put(
    container: string,
    name: string,
    body: Buffer | string,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const answer = await this.#done('PUT', `/${container}/${name}`, { body, headers });
    return answer.headers.get('etag') ?? '';
  }

  /**
   * Puts a static large object as Trove does (docs/contracts/swift.md, 3.2): segments of at most so
   * many bytes beside it, `<name up to the dot>_%08d`. Resolves with the ETag without quotes.
   */
  async putLarge(
    container: string,
    name: string,
    body: Buffer,
    segmentSize: number,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const stem = name.split('.')[0] ?? name;
    const manifest: { path: string; etag: string; size_bytes: number }[] = [];
    for (let at = 0; at < body.length; at += segmentSize) {
      const segment = `${stem}_${String(manifest.length).padStart(8, '0')}`;
      const part = body.subarray(at, at + segmentSize);
      await this.put(container, segment, part);
      const etag = createHash('md5').update(part).digest('hex');
      manifest.push({ path: `${container}/${segment}`, etag, size_bytes: part.length });
    }
    const request = { body: JSON.stringify(manifest), headers };
    const path = `/${container}/${name}?multipart-manifest=put`;
    return ((await this.#done('PUT', path, request)).headers.get('etag') ?? '').replaceAll('"', '');
  }

  get(container: string, name: string, headers: Record<string, string> = {}): Promise<SwiftAnswer> {
    return this.request('GET', `/${container}/${name}`, { headers });
  }

  head(container: string, name: string): Promise<SwiftAnswer> {
    return this.request('HEAD', `/${container}/${name}`);
  }

  /** Deletes an object, and when asked to the segments of a large one, as Trove does. */
  async delete(container: string, name: string, { segments = false } = {}): Promise<void> {
    const isLarge = (await this.head(container, name)).headers.has('x-static-large-object');
    if (!segments || !isLarge) {
      await this.#done('DELETE', `/${container}/${name}`);
      return;
    }
    const path = `/${container}/${name}?multipart-manifest=delete`;
    const { body } = await this.#done('DELETE', path);
    // The true status comes in the body, behind a 200.
    if (!body.includes('Response Status: 200')) throw new Error(`DELETE ${path}: ${String(body)}`);
  }

  async #done(method: string, path: string, request: SwiftRequest = {}): Promise<SwiftAnswer> {
    const answer = await this.request(method, path, request);
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
  }
}
