import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Buckets, objectOf, type RgwObject, type SloEntry } from './buckets.ts';
import { etagOf, LargeObjects } from './large-objects.ts';
import { sendObject } from './reading.ts';
import { Refusal, refusalAnswer } from './refusals.ts';

/** How a gateway differs from another. */
export interface GatewayOptions {
  /**
   * `empty`: it answers `multipart-manifest=get` with nothing, because the data of such an object is empty,
   * and deletes segments as before 2023. `raw`: it answers with the manifest as it was written
   * (https://github.com/ceph/ceph/pull/70699).
   */
  manifests: 'empty' | 'raw';
  /** rgw_max_put_size, in bytes. */
  maxFileSize: number;
  /** rgw_max_slo_entries. */
  maxSegments: number;
  /** Entries of a page of a list. */
  listingLimit: number;
  /** Not rgw_keystone_implicit_tenants: all projects share the names of containers. */
  sharedNames: boolean;
  /** rgw_print_continue: it asks for a body that waits for that. */
  asksForBodies: boolean;
}

/** One request, of a project's user. */
interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  project: string;
  query: URLSearchParams;
  container: string;
  name: string;
}

interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: Buffer | string;
}

/** What has been answered already. */
const SENT: Answer = { status: 0 };
/** rgw_swift_url_prefix and the version; the account may follow (rgw_swift_account_in_url). */
const ROOT = '/swift/v1';

/**
 * The Swift API of a Ceph RGW as far as backups need it, with its objects in memory. What it does otherwise
 * than Swift is by reading Ceph's code, from 2020 (src/rgw/rgw_rest_swift.cc) to 2024 (rgw_op.cc).
 */
export class Gateway {
  /** There is no room for objects. */
  isFull = false;
  readonly #options: GatewayOptions;
  readonly #buckets: Buckets;
  readonly #large: LargeObjects;
  readonly #projects = new Map<string, string>();
  #requests = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#buckets = new Buckets(options.sharedNames);
    this.#large = new LargeObjects(this.#buckets, options.manifests === 'empty');
  }

  /** From now on this token is one of the project's. */
  permit(token: string, project: string): void {
    this.#projects.set(token, project);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://rgw');
    const id = `tx${String(++this.#requests).padStart(21, '0')}-0067-104d-default`;
    try {
      const { status, headers, body } = await this.#answer(request, response, url);
      if (status === SENT.status) return;
      response.writeHead(status, { 'X-Trans-Id': id, 'Content-Length': 0, ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      // What has begun is broken off.
      if (!(error instanceof Refusal) || response.headersSent) return void response.destroy();
      const json = url.searchParams.get('format') === 'json';
      const { status, headers, body } = refusalAnswer(error, { json, request: id });
      response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<Answer> {
    // Below its prefix, not at the root as Swift's (RGWHandler_SWIFT_Info).
    if (url.pathname === '/swift/info') return this.#info();
    const [, path] = new RegExp(`^${ROOT}(?:/AUTH_[^/]*)?(?:/(.*))?$`).exec(url.pathname) ?? [];
    const [container = '', ...rest] = (path ?? '').split('/').map(decodeURIComponent);
    const project = this.#projects.get(String(request.headers['x-auth-token']));
    if (project === undefined) throw new Refusal('Unauthorized');
    const [, account = project] = new RegExp(`^${ROOT}/AUTH_([^/]*)`).exec(url.pathname) ?? [];
    if (account !== project) throw new Refusal('AccessDenied');
    if (!isBucketName(container)) throw new Refusal('InvalidBucketName');
    const name = rest.join('/');
    const query = url.searchParams;
    const call = { request, response, project, query, container, name };
    if (name === '') return this.#ofContainer(call);
    if (request.method === 'PUT') return this.#put(call);
    if (request.method === 'DELETE') return this.#delete(call);
    const found = this.#buckets.objects(project, container).get(name);
    if (!found) throw new Refusal('NoSuchKey');
    const isRaw = query.get('multipart-manifest') === 'get' && this.#options.manifests === 'raw';
    if (found.slo && isRaw) return json(found.slo);
    const read = (entry: SloEntry): Buffer => this.#large.read(project, entry);
    await sendObject({ request, response, query, read }, found);
    return SENT;
  }

  /** RGWInfo_ObjStore_SWIFT: no min_segment_size, no max_manifest_size. */
  #info(): Answer {
    const { maxFileSize: max_file_size, maxSegments: max_manifest_segments } = this.#options;
    const swift = { max_file_size, container_listing_limit: 10_000, version: '19.2.0' };
    return json({ bulk_delete: {}, swift, slo: { max_manifest_segments }, account_quotas: {} });
  }

  #ofContainer({ request, project, query, container }: Call): Answer {
    if (request.method === 'PUT') {
      return { status: this.#buckets.make(project, container) ? 202 : 201 };
    }
    if (request.method === 'DELETE') {
      this.#buckets.remove(project, container);
      return { status: 204 };
    }
    const objects = this.#buckets.objects(project, container);
    return request.method === 'HEAD' ? { status: 204 } : this.#list(objects, query);
  }

  /** RGWListBucket_ObjStore_SWIFT: a limit over its own is refused; there is no word that a page is the last. */
  #list(objects: ReadonlyMap<string, RgwObject>, query: URLSearchParams): Answer {
    const { listingLimit } = this.#options;
    const limit = Number(query.get('limit') ?? listingLimit);
    if (limit > listingLimit) throw new Refusal('PreconditionFailed');
    const marker = Buffer.from(query.get('marker') ?? '');
    const names = [...objects.keys()]
      .filter((name) => name.startsWith(query.get('prefix') ?? ''))
      .filter((name) => Buffer.compare(Buffer.from(name), marker) > 0)
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .slice(0, limit);
    if (query.get('format') !== 'json') return { status: 204 };
    return json(names.map((name) => entryOf(name, objects.get(name))));
  }

  async #put(call: Call): Promise<Answer> {
    const { request, project, query, container, name } = call;
    const { headers } = request;
    const objects = this.#buckets.objects(project, container);
    if (headers['x-copy-from'] !== undefined) return this.#copy(call);
    const length = headers['content-length'];
    if (length === undefined && headers['transfer-encoding'] !== 'chunked') {
      throw new Refusal('MissingContentLength');
    }
    if (Number(length ?? 0) > this.#options.maxFileSize) throw new Refusal('EntityTooLarge');
    const data = await this.#bodyOf(call);
    if (this.isFull) throw new Refusal('UnknownError');
    if (query.get('multipart-manifest') === 'put') {
      const entries = this.#large.parse(project, data, this.#options.maxSegments);
      objects.set(name, objectOf(data, name, metadataOf(request), { entries, text: data }));
      return { status: 201, headers: { ETag: `"${etagOf(entries)}"` } };
    }
    const stored = objectOf(data, name, metadataOf(request));
    objects.set(name, stored);
    return { status: 201, headers: { ETag: stored.etag } };
  }

  /** The metadata of the source stays, and what the request has is added (ATTRSMOD_MERGE). */
  #copy({ request, project, container, name }: Call): Answer {
    const from = decodeURIComponent(String(request.headers['x-copy-from'])).replace(/^\//, '');
    const [bucket = '', ...rest] = from.split('/');
    const source = this.#buckets.objects(project, bucket).get(rest.join('/'));
    if (!source) throw new Refusal('NoSuchKey');
    const metadata = { ...source.metadata, ...metadataOf(request) };
    const copy = { ...source, modified: new Date(), metadata };
    this.#buckets.objects(project, container).set(name, copy);
    return { status: 201, headers: { ETag: copy.etag, 'X-Copied-From': from } };
  }

  /** More than it takes is noticed when it is there, as a body in chunks does not say its size. */
  async #bodyOf({ request, response }: Call): Promise<Buffer> {
    if (request.headers.expect !== undefined && this.#options.asksForBodies) {
      response.writeContinue();
    }
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > this.#options.maxFileSize) throw new Refusal('EntityTooLarge');
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  #delete({ project, query, container, name }: Call): Answer {
    const objects = this.#buckets.objects(project, container);
    const found = objects.get(name);
    // With segments it is always 200, and the body has the true status (RGWDeleteObj_ObjStore_SWIFT).
    if (query.get('multipart-manifest') === 'delete') {
      if (found && !found.slo) return bulk(0, 0, '400 Bad Request');
      const { gone, missing } = this.#large.deleteSegments(project, found?.slo ?? []);
      objects.delete(name);
      return bulk(found ? gone + 1 : 0, found ? missing : 1, '200 OK');
    }
    if (!objects.delete(name)) throw new Refusal('NoSuchKey');
    return { status: 204 };
  }
}

/** RGWHandler_REST_SWIFT::validate_bucket_name: three bytes at least, and no dot in front. */
function isBucketName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes >= 3 && bytes <= 255 && !name.startsWith('.');
}

/** The time has milliseconds and a zone, which Swift's has not; a type that is not known is left out. */
function entryOf(name: string, object: RgwObject | undefined): Record<string, unknown> {
  if (!object) return { name };
  const { etag: hash, accounted: bytes, contentType, modified } = object;
  const type = contentType === null ? {} : { content_type: contentType };
  return { name, hash, bytes, ...type, last_modified: modified.toISOString() };
}

function metadataOf({ headers }: IncomingMessage): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-object-meta-'));
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
}

function json(value: unknown): Answer {
  const body = Buffer.from(JSON.stringify(value));
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return { status: 200, headers: { ...headers, 'Content-Length': body.length }, body };
}

function bulk(gone: number, missing: number, status: string): Answer {
  const body = `Number Deleted: ${gone}\nNumber Not Found: ${missing}\nResponse Body: \nResponse Status: ${status}\n`;
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
  return { status: 200, headers, body };
}
